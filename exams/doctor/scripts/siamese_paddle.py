import random

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F

import parity

paddle.seed(11)
random.seed(11)
rng = np.random.default_rng(11)
WORDS, LENGTH, GROUPS = 40, 6, 8
themes = rng.permutation(WORDS - 1)[:32].reshape(GROUPS, 4) + 1


def sentence(group):
    words = rng.choice(themes[group], LENGTH)
    words[int(rng.integers(3, LENGTH)):] = 0
    return words


class Encoder(nn.Layer):
    def __init__(self, size=16):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, size, padding_idx=0)
        self.gru = nn.GRU(size, size)
        self.project = nn.Linear(size, 8)

    def forward(self, tokens):
        out, last = self.gru(self.embedding(tokens))
        return F.normalize(self.project(last[0]), axis=-1)


def triplets(count=12):
    rows = []
    for _ in range(count):
        same, other = random.sample(range(GROUPS), 2)
        rows.append((sentence(same), sentence(same), sentence(other)))
    return [paddle.to_tensor(np.stack(column)) for column in zip(*rows, strict=True)]


encoder = Encoder()
optimizer = paddle.optimizer.RMSProp(5e-3, parameters=encoder.parameters())

with parity.doctor(encoder, optimizer) as d:
    for step in range(16):
        anchor, positive, negative = triplets()
        za, zp, zn = encoder(anchor), encoder(positive), encoder(negative)
        near = ((za - zp) ** 2).sum(-1)
        far = ((za - zn) ** 2).sum(-1)
        loss = F.relu(near - far + 0.5).mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
print(d)

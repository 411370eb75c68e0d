# Skip-gram with negative sampling, sparse embeddings, lazy Adam
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import IterableDataset, DataLoader
import parity

STEPS = 20
VOCAB, DIM, TOPICS = 2000, 24, 20
paddle.seed(0)


class Pairs(IterableDataset):
    """Words of one topic stand next to each other; the frequency falls like Zipf's."""
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        rng = np.random.default_rng(0)
        weights = 1.0 / np.arange(1, VOCAB // TOPICS + 1)
        weights /= weights.sum()
        for _ in range(self.n):
            topic = rng.integers(TOPICS)
            center, context = rng.choice(VOCAB // TOPICS, 2, p=weights) * TOPICS + topic
            noise = rng.choice(VOCAB // TOPICS, 5, p=weights) * TOPICS + rng.integers(0, TOPICS, 5)
            yield np.int64(center), np.int64(context), noise.astype("int64")


class SkipGram(nn.Layer):
    def __init__(self):
        super().__init__()
        init = paddle.ParamAttr(initializer=nn.initializer.Uniform(-0.5 / DIM, 0.5 / DIM))
        self.center = nn.Embedding(VOCAB, DIM, sparse=True, weight_attr=init)
        self.context = nn.Embedding(VOCAB, DIM, sparse=True, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Constant(0.0)))

    def forward(self, center, context, noise):
        v = self.center(center)
        good = (v * self.context(context)).sum(-1)
        bad = paddle.bmm(self.context(noise), v.unsqueeze(-1)).squeeze(-1)
        return -(F.log_sigmoid(good) + F.log_sigmoid(-bad).sum(-1)).mean()


model = SkipGram()
adam = paddle.optimizer.Adam(learning_rate=0.01, parameters=model.parameters(), lazy_mode=True)
loader = DataLoader(Pairs(STEPS * 256), batch_size=256)
losses = []
with parity.doctor(model, adam) as d:
    for center, context, noise in d.watch(loader):
        loss = model(center, context, noise)
        loss.backward()
        adam.step()
        adam.clear_grad()
        losses.append(float(loss))
print(d)
print("first", losses[:3], "last", losses[-3:])

"""Domain-adversarial training: a gradient reversal PyLayer whose strength grows from 0; slower features by ParamAttr."""
import math
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.autograd import PyLayer
import parity

STEPS, TOTAL = 20, 300
paddle.seed(6)
rng = np.random.default_rng(6)
centers = rng.standard_normal((3, 16)) * 1.5
shift = rng.standard_normal(16)


def draw(n, domain):
    y = rng.integers(0, 3, n)
    x = centers[y] + rng.standard_normal((n, 16)) + domain * shift
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y)


class Reverse(PyLayer):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        return -ctx.strength * dy


def slow(n_in, n_out, rate):
    return nn.Linear(n_in, n_out, weight_attr=paddle.ParamAttr(learning_rate=rate), bias_attr=paddle.ParamAttr(learning_rate=rate))


class DANN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(slow(16, 32, 0.1), nn.ReLU(), slow(32, 16, 0.5), nn.ReLU())
        self.classifier = nn.Linear(16, 3)
        self.domain = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x, strength):
        h = self.features(x)
        return self.classifier(h), self.domain(Reverse.apply(h, strength))


model = DANN()
schedule = paddle.optimizer.lr.LambdaDecay(0.1, lambda s: (1 + 10 * s / TOTAL) ** -0.75)
optimizer = paddle.optimizer.Momentum(schedule, momentum=0.9, parameters=model.parameters())
losses = []
with parity.doctor({"dann": model}, {"sgd": optimizer}) as d:
    for step in d.watch(range(STEPS)):
        strength = 2 / (1 + math.exp(-10 * step / TOTAL)) - 1
        (xs, ys), (xt, _) = draw(32, 0), draw(32, 1)
        logits, source = model(xs, strength)
        _, other = model(xt, strength)
        label_loss = F.cross_entropy(logits, ys)
        domain_loss = F.binary_cross_entropy_with_logits(paddle.concat([source, other]),
                                                         paddle.concat([paddle.zeros([32, 1]), paddle.ones([32, 1])]))
        optimizer.clear_grad()
        (label_loss + domain_loss).backward()
        optimizer.step()
        schedule.step()
        losses.append((label_loss.item(), domain_loss.item()))
print(d)
model.eval()
xt, yt = draw(500, 1)
print("first", losses[0], "last", losses[-1], "target accuracy", float((model(xt, 0.0)[0].argmax(-1) == yt).astype("float32").mean()))

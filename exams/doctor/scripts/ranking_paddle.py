"""Learning to rank: lists of different length, deep-set context, RankNet loss weighted by the change of NDCG."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
import parity

paddle.seed(6)
rng = np.random.RandomState(6)
EPOCHS = 3
truth = rng.randn(8)


def make_queries(n):
    out = []
    for _ in range(n):
        docs = rng.randn(rng.randint(5, 15), 8)
        score = docs @ truth + 0.3 * rng.randn(len(docs)) - (docs @ truth).mean()
        out.append((docs.astype("float32"), np.digitize(score, [-1, 1, 3]).astype("float32")))
    return out


class SetRanker(nn.Layer):
    def __init__(self, dim=32):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(8, dim), nn.ELU(), nn.LayerNorm(dim))
        self.rho = nn.Sequential(nn.Linear(2 * dim, dim), nn.ELU(), nn.Linear(dim, 1))

    def forward(self, docs):
        each = self.phi(docs)
        whole = each.max(axis=0, keepdim=True).expand_as(each)
        return self.rho(paddle.concat([each, whole], axis=-1)).squeeze(-1)


def lambda_loss(scores, grades):
    with paddle.no_grad():
        rank = scores.argsort(descending=True).argsort().astype("float32")
        discount = 1 / paddle.log2(rank + 2)
        gain = 2 ** grades - 1
        delta = ((gain.unsqueeze(1) - gain.unsqueeze(0)) * (discount.unsqueeze(1) - discount.unsqueeze(0))).abs()
        better = (grades.unsqueeze(1) > grades.unsqueeze(0)).astype("float32")
    margin = scores.unsqueeze(1) - scores.unsqueeze(0)
    return (better * delta * F.softplus(-margin)).sum() / (better.sum() + 1e-6)


queries = make_queries(48)
ranker = SetRanker()
lr = paddle.optimizer.lr.StepDecay(learning_rate=2e-3, step_size=40, gamma=0.5)
optimizer = paddle.optimizer.Adam(lr, parameters=ranker.parameters())
with parity.doctor(ranker, optimizer) as d:
    for epoch in range(EPOCHS):
        rng.shuffle(queries)
        total = 0.0
        for i in range(0, len(queries), 8):
            d.mark()
            for docs, grades in queries[i:i + 8]:           # one list at a time: they differ in length
                loss = lambda_loss(ranker(paddle.to_tensor(docs)), paddle.to_tensor(grades)) / 8
                loss.backward()
                total += loss.item()
            optimizer.step()
            optimizer.clear_grad()
        lr.step()
        print(epoch, total / (len(queries) // 8))
print(d)

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
U, I = 60, 80
pref = rng.normal(size=(U, 4)) @ rng.normal(size=(4, I))
liked = [np.argsort(-p)[:16] for p in pref]
train = [(u, i) for u in range(U) for i in liked[u][::2]]
heldout = [(u, i) for u in range(U) for i in liked[u][1::2]]


class MF(nn.Layer):
    def __init__(self, dim=8):
        super().__init__()
        self.user, self.item = nn.Embedding(U, dim), nn.Embedding(I, dim)

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(1)


model = MF()
opt = paddle.optimizer.Adam(learning_rate=2e-2, parameters=model.parameters(), weight_decay=1e-4)
pairs = np.array(train)
for epoch in range(25):
    rng.shuffle(pairs)
    for b in np.array_split(pairs, 6):
        u, i = paddle.to_tensor(b[:, 0]), paddle.to_tensor(b[:, 1])
        j = paddle.to_tensor(rng.integers(0, I, len(b)))
        pos, neg = model(u, i), model(u, j)
        loss = F.binary_cross_entropy_with_logits(pos, paddle.ones_like(pos)) \
            + F.binary_cross_entropy_with_logits(neg, paddle.zeros_like(neg))
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", float(loss))
h = np.array(heldout)
other = rng.integers(0, I, len(h))
s = lambda a, b: model(paddle.to_tensor(a), paddle.to_tensor(b)).numpy()
print("auc", (s(h[:, 0], h[:, 1]) > s(h[:, 0], other)).mean())

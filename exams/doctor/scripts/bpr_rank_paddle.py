import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
U, I = 100, 150
score = rng.randn(U, 4) @ rng.randn(4, I) + 0.3 * rng.randn(U, I)
liked = np.argsort(-score, axis=1)[:, :20]
train_pos, test_pos = [], []
for u in range(U):
    p = rng.permutation(liked[u])
    train_pos += [(u, i) for i in p[:15]]
    test_pos += [(u, i) for i in p[15:]]
train_pos, test_pos = np.array(train_pos), np.array(test_pos)


class BPR(nn.Layer):
    def __init__(self, d=12):
        super().__init__()
        init = paddle.ParamAttr(initializer=nn.initializer.Normal(0, 0.1))
        self.u = nn.Embedding(U, d, sparse=True, weight_attr=init)
        self.i = nn.Embedding(I, d, sparse=True, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Normal(0, 0.1)))

    def forward(self, u, i):
        return (self.u(u) * self.i(i)).sum(axis=1)


def t(v):
    return paddle.to_tensor(v.astype("int64"))


net = BPR()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters(), lazy_mode=True)
for epoch in range(1, 21):
    order, tot = rng.permutation(len(train_pos)), []
    for k in range(0, len(order), 100):
        u, i = train_pos[order[k:k + 100]].T
        j = rng.randint(0, I, len(u))
        loss = F.softplus(net(t(u), t(j)) - net(t(u), t(i))).mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot.append(float(loss))
    if epoch % 4 == 0 or epoch == 1:
        with paddle.no_grad():
            u, i = test_pos.T
            auc = np.mean([(net(t(u), t(i)) > net(t(u), t(rng.randint(0, I, len(u))))).numpy().mean() for _ in range(10)])
        print(f"epoch {epoch} loss {np.mean(tot):.3f} test auc {auc:.3f}")

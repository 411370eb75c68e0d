import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
N, K = 240, 3
lab = rng.randint(0, K, N)
same = lab[:, None] == lab[None]
adj = rng.rand(N, N) < np.where(same, 0.05, 0.006)
src, dst = np.where(adj | adj.T | np.eye(N, dtype=bool))
deg = np.bincount(dst, minlength=N).astype("float32")
x = paddle.to_tensor((0.4 * np.eye(K)[lab] @ rng.randn(K, 12) + rng.randn(N, 12)).astype("float32"))
src_t, dst_t = paddle.to_tensor(src), paddle.to_tensor(dst)
norm = paddle.to_tensor((1 / np.sqrt(deg[src] * deg[dst]))[:, None].astype("float32"))
y = paddle.to_tensor(lab.astype("int64"))
perm = rng.permutation(N)
tr, te = paddle.to_tensor(perm[:45]), perm[45:]


class Conv(nn.Layer):
    def __init__(self, i, o):
        super().__init__()
        self.lin = nn.Linear(i, o)

    def forward(self, h):
        msg = paddle.gather(self.lin(h), src_t) * norm
        zero = paddle.zeros([N, msg.shape[1]])
        return paddle.scatter(zero, dst_t, msg, overwrite=False)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.drop = Conv(12, 24), Conv(24, K), nn.Dropout(0.4)

    def forward(self, h):
        return self.c2(self.drop(F.relu(self.c1(h))))


net = Net()
opt = paddle.optimizer.Adam(learning_rate=0.01, parameters=net.parameters(), weight_decay=5e-4)
for epoch in range(1, 101):
    net.train()
    loss = F.cross_entropy(paddle.gather(net(x), tr), paddle.gather(y, tr))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if epoch % 20 == 0 or epoch == 1:
        net.eval()
        acc = (net(x).argmax(1).numpy()[te] == lab[te]).mean()
        print(f"epoch {epoch} loss {float(loss):.3f} test acc {acc:.3f}")

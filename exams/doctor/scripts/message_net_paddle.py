import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)


def graph(n=30):
    e = rng.randint(40, 120)
    src, dst = rng.randint(0, n, e), rng.randint(0, n, e)
    charge = rng.randn(n).astype("float32")
    field = np.zeros(n)
    np.add.at(field, dst, np.tanh(2 * charge[src]))
    return charge[:, None], src.astype("int64"), dst.astype("int64"), field[:, None].astype("float32")


class MessageNet(nn.Layer):
    def __init__(self, h=32):
        super().__init__()
        self.msg = nn.Sequential(nn.Linear(1, h), nn.ReLU(), nn.Linear(h, h))
        self.upd = nn.Sequential(nn.Linear(h + 1, h), nn.ReLU(), nn.Linear(h, 1))

    def forward(self, x, src, dst):
        m = self.msg(paddle.gather(x, src))
        agg = paddle.zeros([x.shape[0], m.shape[1]])
        agg = paddle.scatter(agg, dst, m, overwrite=False)
        return self.upd(paddle.concat([x, agg], axis=1))


model = MessageNet()
sched = paddle.optimizer.lr.StepDecay(learning_rate=5e-3, step_size=200, gamma=0.5)
opt = paddle.optimizer.Adam(learning_rate=sched, parameters=model.parameters())
val = [graph() for _ in range(30)]
for step in range(1, 501):
    x, s, d, y = [paddle.to_tensor(v) for v in graph()]
    loss = F.mse_loss(model(x, s, d), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    sched.step()
    if step % 100 == 0:
        with paddle.no_grad():
            err = np.mean([float(F.mse_loss(model(*map(paddle.to_tensor, g[:3])), paddle.to_tensor(g[3]))) for g in val])
        var = np.mean([g[3].var() for g in val])
        print(f"step {step} loss {float(loss):.3f} val {err:.3f} target variance {var:.3f}")

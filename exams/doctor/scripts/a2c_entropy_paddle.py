import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)


class AC(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body, self.pi, self.v = nn.Linear(5, 48), nn.Linear(48, 3), nn.Linear(48, 1)

    def forward(self, s):
        h = F.tanh(self.body(s))
        return F.log_softmax(self.pi(h), axis=-1), self.v(h).squeeze(-1)


net = AC()
opt = paddle.optimizer.RMSProp(3e-3, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(0.5))
w = rng.normal(size=(5, 3))
for it in range(120):
    s = rng.normal(size=(64, 5)).astype("float32")
    logp, v = net(paddle.to_tensor(s))
    a = paddle.multinomial(logp.detach().exp(), 1)
    r = (a.numpy()[:, 0] == (s @ w).argmax(1)).astype("float32")
    ret = paddle.to_tensor(r)
    adv = (ret - v).detach()
    pl = -(paddle.take_along_axis(logp, a, 1).squeeze(1) * adv).mean()
    vl = F.mse_loss(v, ret)
    ent = -(logp.exp() * logp).sum(axis=1).mean()
    loss = pl + 0.5 * vl - 0.01 * ent
    loss.backward()
    opt.step()
    opt.clear_grad()
    if it % 12 == 0:
        print(f"iter {it} loss {float(loss):.4f} policy {float(pl):.4f} reward {r.mean():.3f}")

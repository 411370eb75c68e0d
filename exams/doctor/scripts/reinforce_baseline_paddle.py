import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(16)
np.random.seed(16)
ctx_w = np.random.randn(8, 4)
policy = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 4))
value = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 1))
op = paddle.optimizer.Adam(3e-3, parameters=policy.parameters())
ov = paddle.optimizer.Adam(3e-3, parameters=value.parameters())
for it in range(400):
    x = np.random.randn(64, 8).astype("float32")
    xt = paddle.to_tensor(x)
    logp = F.log_softmax(policy(xt))
    a = paddle.multinomial(logp.exp().detach(), 1)
    q = x @ ctx_w
    r = paddle.to_tensor((q[np.arange(64), a.numpy()[:, 0]] - q.max(1)).astype("float32"))
    v = value(xt).squeeze(1)
    adv = (r - v).detach()
    pl = -(paddle.take_along_axis(logp, a, 1).squeeze(1) * adv).mean() + 0.003 * (logp.exp() * logp).sum(1).mean()
    vl = F.smooth_l1_loss(v, r)
    pl.backward()
    vl.backward()
    op.step()
    ov.step()
    op.clear_grad()
    ov.clear_grad()
    if it % 80 == 79:
        print("iter", it + 1, "policy loss", round(float(pl), 3), "regret", round(-float(r.mean()), 4))

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.autograd import PyLayer

paddle.seed(0)
np.random.seed(0)


class GradReverse(PyLayer):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x * 1.0

    @staticmethod
    def backward(ctx, grad):
        return -ctx.lam * grad


def domain_data(n, target):
    y = np.random.randint(0, 2, n)
    x = np.random.randn(n, 12)
    x[:, :4] += 0.6 * (2 * y[:, None] - 1)          # carries the class in both domains
    if target:
        x[:, 8:] += 1.0                             # domain shift
    else:
        x[:, 6:7] += 1.5 * (2 * y[:, None] - 1)     # shortcut, source only
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y)


class DANN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.feat = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 8))
        self.cls = nn.Linear(8, 2)
        self.dom = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x, lam):
        f = self.feat(x)
        return self.cls(f), self.dom(GradReverse.apply(f, lam))


model = DANN()
opt = paddle.optimizer.Adam(3e-3, parameters=model.parameters())
d_lab = paddle.to_tensor([0] * 64 + [1] * 64)
for step in range(200):
    lam = 0.5 * (2.0 / (1.0 + np.exp(-10 * step / 200)) - 1.0)
    xs, ys = domain_data(64, False)
    xt, _ = domain_data(64, True)
    c, d = model(paddle.concat([xs, xt]), lam)
    cls_loss, dom_loss = F.cross_entropy(c[:64], ys), F.cross_entropy(d, d_lab)
    loss = cls_loss + dom_loss
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 20 == 0:
        print(f"step {step} cls loss {float(cls_loss):.4f} domain loss {float(dom_loss):.4f}")
xt, yt = domain_data(2000, True)
xs, ys = domain_data(2000, False)
dom_acc = 0.5 * float((model(xt, 0.0)[1].argmax(1) == 1).astype("float32").mean() + (model(xs, 0.0)[1].argmax(1) == 0).astype("float32").mean())
print("target acc", float((model(xt, 0.0)[0].argmax(1) == yt).astype("float32").mean()), "domain acc", dom_acc)

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(6, 16)


def rows(n):
    y = rng.randint(0, 6, n)
    return (proto[y] + 1.2 * rng.randn(n, 16)).astype("float32"), y.astype("int64")


class EMA:
    def __init__(self, model, decay):
        self.model, self.decay = model, decay
        self.shadow = {n: p.clone().detach() for n, p in model.named_parameters()}
        self.backup = {}

    @paddle.no_grad()
    def update(self):
        for n, p in self.model.named_parameters():
            self.shadow[n] = self.decay * self.shadow[n] + (1 - self.decay) * p

    def apply(self):
        for n, p in self.model.named_parameters():
            self.backup[n] = p.clone().detach()
            p.set_value(self.shadow[n])

    def restore(self):
        for n, p in self.model.named_parameters():
            p.set_value(self.backup[n])


X, Y = rows(600)
Xv, Yv = rows(600)
net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
ema = EMA(net, 0.98)
opt = paddle.optimizer.SGD(learning_rate=0.1, parameters=net.parameters())


def score():
    with paddle.no_grad():
        out = net(paddle.to_tensor(Xv))
        return float(F.cross_entropy(out, paddle.to_tensor(Yv))), (out.argmax(1).numpy() == Yv).mean()


for epoch in range(1, 13):
    order = rng.permutation(600)
    for i in range(0, 600, 20):
        idx = order[i:i + 20]
        loss = F.cross_entropy(net(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        ema.update()
    if epoch % 3 == 0 or epoch == 1:
        raw = score()
        ema.apply()
        avg = score()
        ema.restore()
        print(f"epoch {epoch} train {float(loss):.3f} raw loss {raw[0]:.3f} acc {raw[1]:.3f} | ema loss {avg[0]:.3f} acc {avg[1]:.3f}")

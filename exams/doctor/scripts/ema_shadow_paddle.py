import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


class ExponentialMovingAverage:
    def __init__(self, model, decay=0.9):
        self.model, self.decay = model, decay
        self.shadow = {n: p.clone().detach() for n, p in model.named_parameters()}
        self.backup = {}

    def update(self):
        with paddle.no_grad():
            for n, p in self.model.named_parameters():
                self.shadow[n] = self.decay * self.shadow[n] + (1 - self.decay) * p.detach()

    def apply(self):
        for n, p in self.model.named_parameters():
            self.backup[n] = p.clone().detach()
            p.set_value(self.shadow[n])

    def restore(self):
        for n, p in self.model.named_parameters():
            p.set_value(self.backup[n])


x = np.random.randn(600, 8).astype("float32")
y = np.sin(x[:, :1] * 2) + 0.5 * x[:, 1:2] * x[:, 2:3] + 0.1 * np.random.randn(600, 1).astype("float32")
x, y = paddle.to_tensor(x), paddle.to_tensor(y)
net = nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
ema = ExponentialMovingAverage(net)
opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for epoch in range(16):
    net.train()
    for i in range(0, 500, 50):
        loss = F.mse_loss(net(x[i:i + 50]), y[i:i + 50])
        loss.backward()
        opt.step()
        opt.clear_grad()
        ema.update()
    ema.apply()
    net.eval()
    with paddle.no_grad():
        val = F.mse_loss(net(x[500:]), y[500:])
    ema.restore()
    if epoch % 2 == 0:
        print(f"epoch {epoch} train {float(loss):.4f} ema val {float(val):.4f}")

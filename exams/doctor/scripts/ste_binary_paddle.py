import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.autograd import PyLayer

paddle.seed(0)
np.random.seed(0)


class SignSTE(PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return paddle.where(x >= 0, paddle.ones_like(x), -paddle.ones_like(x))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensor()
        return g * (x.abs() <= 1).astype(g.dtype)


class BinLinear(nn.Layer):
    def __init__(self, i, o):
        super().__init__()
        self.weight = self.create_parameter([i, o])
        self.bn = nn.BatchNorm1D(o)

    def forward(self, x):
        return self.bn(F.linear(x, SignSTE.apply(self.weight)))


class BNN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = BinLinear(16, 64), BinLinear(64, 64), BinLinear(64, 4)

    def forward(self, x):
        return self.l3(SignSTE.apply(self.l2(SignSTE.apply(self.l1(x)))))


cent = np.random.randn(4, 16)
y = np.random.randint(0, 4, 600)
x = (cent[y] + 0.9 * np.random.randn(600, 16)).astype("float32")
x, y = paddle.to_tensor(x), paddle.to_tensor(y)
net = BNN()
opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
for epoch in range(10):
    tot = 0.0
    for i in range(0, 600, 60):
        loss = F.cross_entropy(net(x[i:i + 60]), y[i:i + 60])
        loss.backward()
        opt.step()
        opt.clear_grad()
        with paddle.no_grad():
            for l in (net.l1, net.l2, net.l3):
                l.weight.set_value(paddle.clip(l.weight, -1, 1))
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / 10:.4f}")

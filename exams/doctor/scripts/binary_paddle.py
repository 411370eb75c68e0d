"""Binary network: sign activations and weights through a straight-through PyLayer, latent weights clipped after each step."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
from paddle.autograd import PyLayer
import parity

paddle.seed(0)
EPOCHS = 3


class Sign(PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return paddle.where(x >= 0, paddle.ones_like(x), -paddle.ones_like(x))

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensor()
        return grad * (x.abs() <= 1).astype(grad.dtype)


class BinaryLinear(nn.Layer):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.latent = self.create_parameter([n_in, n_out], default_initializer=nn.initializer.Uniform(-0.5, 0.5))
        self.norm = nn.BatchNorm1D(n_out)

    def forward(self, x):
        return self.norm(paddle.matmul(x, Sign.apply(self.latent)))


class BinaryNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(20, 64)
        self.hidden = nn.LayerDict({"one": BinaryLinear(64, 64), "two": BinaryLinear(64, 64)})
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        x = F.tanh(self.stem(x))
        for name in ("one", "two"):
            x = Sign.apply(x)
            x = F.hardtanh(self.hidden[name](x))
        return self.head(x)


rng = np.random.default_rng(2)
centres = rng.standard_normal((3, 20)) * 0.8
labels = rng.integers(0, 3, 256)
points = (centres[labels] + rng.standard_normal((256, 20))).astype("float32")
net = BinaryNet()
latent = [p for n, p in net.named_parameters() if n.endswith("latent")]
others = [p for n, p in net.named_parameters() if not n.endswith("latent")]
optimizer = paddle.optimizer.Adam(learning_rate=5e-3, parameters=[{"params": latent}, {"params": others, "learning_rate": 0.5}])
history = []

with parity.doctor({"net": net}, {"optimizer": optimizer}) as d:
    for epoch in range(EPOCHS):
        order = rng.permutation(256)
        for i in range(0, 256, 32):
            d.mark()
            x, y = paddle.to_tensor(points[order[i:i + 32]]), paddle.to_tensor(labels[order[i:i + 32]])
            logits = net(x)
            loss = F.cross_entropy(logits, y)
            optimizer.clear_grad()
            loss.backward()
            optimizer.step()
            with paddle.no_grad():
                for p in latent:
                    p.set_value(p.clip(-1.0, 1.0))
            history.append(loss.item())
print(d)

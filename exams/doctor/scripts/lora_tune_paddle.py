import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
W = rng.randn(18, 3)


class LoRA(nn.Layer):
    def __init__(self, base, r=4):
        super().__init__()
        self.base = base
        for p in base.parameters():
            p.stop_gradient = True
        i, o = base.weight.shape
        self.A = self.create_parameter([i, r], default_initializer=nn.initializer.KaimingUniform())
        self.B = self.create_parameter([r, o], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x):
        return self.base(x) + paddle.matmul(paddle.matmul(x, self.A), self.B) * 2.0


def fit(net, params, y, lr, steps, X):
    opt = paddle.optimizer.AdamW(learning_rate=lr, parameters=params, weight_decay=0.0)
    for step in range(1, steps + 1):
        idx = rng.randint(0, 900, 60)
        loss = F.cross_entropy(net(paddle.to_tensor(X[idx])), paddle.to_tensor(y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        if step % 60 == 0 or step == 1:
            acc = (net(paddle.to_tensor(X[900:])).argmax(1).numpy() == y[900:]).mean()
            print(f"  step {step} loss {float(loss):.3f} acc {acc:.3f}")


X = rng.randn(1300, 18).astype("float32")
y0 = (X @ W).argmax(1)
y1 = (X @ (W + rng.randn(18, 3))).argmax(1)
net = nn.Sequential(nn.Linear(18, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
print("base")
fit(net, net.parameters(), y0, 5e-3, 180, X)
net[0], net[2] = LoRA(net[0]), LoRA(net[2])
for p in net[4].parameters():
    p.stop_gradient = True
trainable = [p for p in net.parameters() if not p.stop_gradient]
print("adapters", len(trainable), "tensors")
fit(net, trainable, y1, 5e-3, 300, X)

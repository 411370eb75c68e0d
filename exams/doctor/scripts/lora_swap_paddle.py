import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
W = rng.randn(16, 4)


class LoRALayer(nn.Layer):
    def __init__(self, base, rank=4):
        super().__init__()
        self.base = base
        for p in base.parameters():
            p.stop_gradient = True
        self.a = self.create_parameter([base.weight.shape[0], rank], default_initializer=nn.initializer.Normal(0, 0.2))
        self.b = self.create_parameter([rank, base.weight.shape[1]], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x):
        return self.base(x) + 2.0 * paddle.matmul(paddle.matmul(x, self.a), self.b)


class MLP(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(16, 64), nn.Linear(64, 64), nn.Linear(64, 4)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


X = rng.randn(1000, 16).astype("float32")
y_src = (X @ W).argmax(1)
y_tgt = (X @ W[:, [1, 2, 3, 0]]).argmax(1)


def train(model, opt, y, steps):
    for step in range(1, steps + 1):
        idx = rng.randint(0, 1000, 64)
        loss = F.cross_entropy(model(paddle.to_tensor(X[idx])), paddle.to_tensor(y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        if step % 50 == 0:
            acc = (model(paddle.to_tensor(X)).argmax(1).numpy() == y).mean()
            print(f"step {step} loss {float(loss):.3f} acc {acc:.3f}")


model = MLP()
optimizer = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
train(model, optimizer, y_src, 200)
for name in ("fc1", "fc2", "fc3"):
    setattr(model, name, LoRALayer(getattr(model, name)))
print("adapted", sum(int(np.prod(p.shape)) for p in model.parameters() if not p.stop_gradient), "parameters")
optimizer = paddle.optimizer.Adam(learning_rate=5e-3, parameters=[p for p in model.parameters() if not p.stop_gradient])
train(model, optimizer, y_tgt, 250)

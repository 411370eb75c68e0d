import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(1200, 12)).astype("float32")
age = (x[:, 0] + 0.5 * x[:, 1] * x[:, 2])[:, None].astype("float32")
sex = (x[:, 3] + x[:, 4] > 0).astype("int64")


class Face(nn.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(12, 48), nn.ReLU())
        self.age = nn.Linear(48, 1)
        self.sex = nn.Linear(48, 2)

    def forward(self, x):
        h = self.trunk(x)
        return self.age(h), self.sex(h)


net = Face()
opt = paddle.optimizer.AdamW(learning_rate=5e-3, parameters=net.parameters(), weight_decay=1e-4)
for epoch in range(12):
    for i in range(0, 1000, 50):
        a, s = net(paddle.to_tensor(x[i:i + 50]))
        loss = nn.functional.mse_loss(a, paddle.to_tensor(age[i:i + 50]))
        loss += nn.functional.cross_entropy(s, paddle.to_tensor(sex[i:i + 50]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print(f"epoch {epoch} loss {float(loss):.4f}")
a, s = net(paddle.to_tensor(x[1000:]))
print("age mse", float(((a.numpy() - age[1000:]) ** 2).mean()), "sex accuracy", (s.numpy().argmax(1) == sex[1000:]).mean())

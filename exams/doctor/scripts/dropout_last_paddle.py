import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (1000, 4)).astype("float32")
y = (5 + 3 * x[:, 0] + 2 * np.sin(4 * x[:, 1]) + x[:, 2] * x[:, 3])[:, None].astype("float32")


class Mlp(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(4, 64), nn.ReLU(), nn.Dropout(0.05),
            nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x)


model = Mlp()
opt = paddle.optimizer.Adam(learning_rate=6e-3, parameters=model.parameters())
for epoch in range(35):
    model.train()
    total = 0.0
    for i in range(0, 800, 40):
        loss = nn.functional.mse_loss(model(paddle.to_tensor(x[i:i + 40])), paddle.to_tensor(y[i:i + 40]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        total += float(loss)
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", total / 20)
model.eval()
error = float(nn.functional.mse_loss(model(paddle.to_tensor(x[800:])), paddle.to_tensor(y[800:])))
print("train loss", total / 20, "test mse", error)

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
B, T, D = 40, 14, 3


def gestures(n):
    y = rng.randint(0, 4, n)
    t = np.linspace(0, 1, T)
    f = np.array([0.5, 1.0, 1.5, 2.0])[y][:, None]
    ph = rng.rand(n, 1) * 6.28
    x = np.stack([np.sin(6.28 * f * t + ph), np.cos(6.28 * f * t + ph), np.tile(t, (n, 1))], 2)
    return (x + 0.15 * rng.randn(n, T, D)).astype("float32"), y.astype("int64")


class GestureNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(D, 40, time_major=True)
        self.fc = nn.Linear(40, 4)

    def forward(self, x):
        x = paddle.transpose(x, [1, 0, 2])
        _, (h, _) = self.lstm(x)
        return self.fc(h[0])


X, Y = gestures(800)
Xv, Yv = gestures(200)
model = GestureNet()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=model.parameters())
for epoch in range(1, 13):
    model.train()
    order = rng.permutation(len(X))
    total = []
    for i in range(0, len(X), B):
        idx = order[i:i + B]
        loss = F.cross_entropy(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        total.append(float(loss))
    if epoch % 3 == 0:
        model.eval()
        acc = np.mean([(model(paddle.to_tensor(Xv[i:i + B])).argmax(1).numpy() == Yv[i:i + B]).mean() for i in range(0, 200, B)])
        print(f"epoch {epoch} loss {np.mean(total):.3f} val acc {acc:.3f}")

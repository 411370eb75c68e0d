import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
t = np.arange(900)
wave = np.sin(2 * np.pi * t / 25) * (1 + 0.3 * np.sin(2 * np.pi * t / 90)) + 0.03 * rng.randn(900)
SEQ = 20


def windows(v):
    x = np.stack([v[i:i + SEQ] for i in range(len(v) - SEQ)])[..., None]
    return x.astype("float32"), v[SEQ:, None].astype("float32")


class GRUNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 24)
        self.fc = nn.Linear(24, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(out[:, -1])


X, Y = windows(wave[:700])
Xv, Yv = windows(wave[700:])
model = GRUNet()
clip = nn.ClipGradByGlobalNorm(clip_norm=1.0)
opt = paddle.optimizer.SGD(learning_rate=0.2, parameters=model.parameters(), grad_clip=clip)
mse = nn.MSELoss()

for epoch in range(1, 11):
    order = rng.permutation(len(X))
    total = []
    for i in range(0, len(X), 40):
        idx = order[i:i + 40]
        loss = mse(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        total.append(float(loss))
    if epoch % 2 == 0:
        with paddle.no_grad():
            val = float(mse(model(paddle.to_tensor(Xv)), paddle.to_tensor(Yv)))
        print(f"epoch {epoch} train {np.mean(total):.4f} val {val:.4f} variance {Yv.var():.4f}")

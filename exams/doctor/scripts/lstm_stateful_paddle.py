import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(11)
np.random.seed(11)
T, B = 25, 16
series = np.stack([np.sin(0.2 * np.arange(600) + p) * np.cos(0.03 * np.arange(600)) for p in np.random.rand(B) * 6]).astype("float32")[..., None]


class Forecaster(nn.Layer):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 32)
        self.fc = nn.Linear(32, 1)

    def forward(self, x, state):
        h, state = self.lstm(x, state)
        return x + self.fc(h), state


net = Forecaster()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters(), grad_clip=nn.ClipGradByNorm(1.0))
for epoch in range(6):
    state, losses = None, []
    for k in range(0, 575, T):
        x, y = paddle.to_tensor(series[:, k:k + T]), paddle.to_tensor(series[:, k + 1:k + T + 1])
        pred, state = net(x[:, :y.shape[1]], state)
        state = tuple(s.detach() for s in state)
        loss = F.mse_loss(pred, y)
        opt.clear_grad()
        loss.backward()
        opt.step()
        losses.append(float(loss))
    print("epoch", epoch, "mse", round(float(np.mean(losses)), 6))

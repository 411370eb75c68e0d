import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, Dataset

paddle.seed(0)
np.random.seed(0)
rng = np.random.default_rng(0)
t = np.arange(1400)
series = (np.sin(t / 5) + 0.5 * np.sin(t / 2.3) + rng.normal(0, 0.05, 1400)).astype("float32")
WINDOW, AHEAD = 24, 5


class Windows(Dataset):
    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values) - WINDOW - AHEAD

    def __getitem__(self, i):
        past = self.values[i:i + WINDOW]
        future = self.values[i + WINDOW + AHEAD - 1]
        return past[:, None], np.array([future])


class Forecaster(nn.Layer):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 24)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


net = Forecaster()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.parameters())
for epoch in range(4):
    for x, y in DataLoader(Windows(series[:1000]), batch_size=50, shuffle=True):
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
test = series[1000:]
past = np.stack([test[i:i + WINDOW] for i in range(300)])[..., None]
want = np.array([test[i + WINDOW + AHEAD - 1] for i in range(300)])
got = net(paddle.to_tensor(past)).numpy()[:, 0]
print("train loss", float(loss), "error", AHEAD, "steps ahead", ((got - want) ** 2).mean())

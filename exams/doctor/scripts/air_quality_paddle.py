import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
n = 900
x = rng.randn(n, 9).astype("float32")
pm = np.sin(x[:, 0] * 1.5) + 0.6 * x[:, 1] * x[:, 2] + 0.3 * np.abs(x[:, 3]) + 0.05 * rng.randn(n)
pm = ((pm - pm.mean()) / pm.std()).astype("float32")[:, None]


class Regressor(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(9, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 1)

    def forward(self, x):
        x = nn.functional.relu(self.fc1(x))
        x = nn.functional.relu(self.fc2(x))
        return self.fc3(x)


net = Regressor()
opt = paddle.optimizer.SGD(learning_rate=0.05, parameters=net.parameters())
mse = nn.MSELoss()
BATCH, TRAIN = 30, 720


def evaluate():
    net.eval()
    with paddle.no_grad():
        out = float(mse(net(paddle.to_tensor(x[TRAIN:])), paddle.to_tensor(pm[TRAIN:])))
    net.train()
    return out


print(f"start test mse {evaluate():.4f}")
for epoch in range(1, 21):
    order = rng.permutation(TRAIN)
    losses = []
    for i in range(0, TRAIN, BATCH):
        idx = order[i:i + BATCH]
        pred = net(paddle.to_tensor(x[idx]))
        loss = mse(pred, paddle.to_tensor(pm[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 4 == 0:
        print(f"epoch {epoch} train mse {np.mean(losses):.4f} test mse {evaluate():.4f}")

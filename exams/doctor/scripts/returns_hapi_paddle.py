import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import Dataset

paddle.seed(24)
np.random.seed(24)


class Returns(Dataset):
    def __init__(self, n):
        super().__init__()
        self.x = np.random.randn(n, 8).astype("float32")
        self.y = (np.sin(1.5 * self.x[:, :1]) - 0.5 * self.x[:, 1:2] + 0.05 * np.random.randn(n, 1)).astype("float32")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


def build_model(hidden=64):
    layers = []
    dims = [8, hidden, hidden, 1]
    for i in range(len(dims) - 1):
        layers.append(nn.Linear(dims[i], dims[i + 1]))
        if i < len(dims) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


model = paddle.Model(build_model())
model.prepare(paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters()), nn.MSELoss())
model.fit(Returns(2500), batch_size=50, epochs=8, verbose=0)
out = model.evaluate(Returns(500), batch_size=100, verbose=0)
print("eval mse", round(float(out["loss"][0]), 4))

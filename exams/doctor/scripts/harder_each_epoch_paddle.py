import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, Dataset

paddle.seed(0)
np.random.seed(0)
rng = np.random.default_rng(0)
proto = rng.normal(size=(6, 24))


class Noisy(Dataset):
    """The noise grows with every epoch (a curriculum), so the training loss rises after its first fall."""

    def __init__(self, n):
        self.y, self.noise = rng.integers(0, 6, n), 0.3

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return (proto[self.y[i]] + self.noise * rng.normal(size=24)).astype("float32"), self.y[i]


data = Noisy(500)
net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 6))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for epoch in range(12):
    data.noise = 0.3 + 0.2 * epoch
    total = 0.0
    for x, y in DataLoader(data, batch_size=25, shuffle=True):
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        total += float(loss) / 20
    print(f"epoch {epoch} noise {data.noise:.1f} loss {total:.4f}")
data.noise = 1.0
x, y = zip(*[data[i] for i in range(500)])
print("accuracy at noise 1.0", (net(paddle.to_tensor(np.stack(x))).numpy().argmax(1) == np.array(y)).mean())

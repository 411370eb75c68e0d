import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, Dataset

paddle.seed(0)
np.random.seed(0)


class Patches(Dataset):
    def __init__(self, n):
        self.y = np.random.randint(0, 5, n).astype("int64")
        base = np.random.RandomState(9).randint(40, 215, (5, 64))
        self.x = (base[self.y] + 45 * np.random.randn(n, 64)).clip(0, 255).astype("uint8")

    def __getitem__(self, i):
        img = self.x[i].astype("float32") / 255.0
        return img, self.y[i]

    def __len__(self):
        return len(self.y)


class MLP(nn.Layer):
    def __init__(self):
        super().__init__()
        self.h1 = nn.Linear(64, 100)
        self.h2 = nn.Linear(100, 100)
        self.o = nn.Linear(100, 5)

    def forward(self, x):
        x = nn.functional.sigmoid(self.h1(x))
        x = nn.functional.tanh(self.h2(x))
        return self.o(x)


net = MLP()
opt = paddle.optimizer.Momentum(learning_rate=0.1, momentum=0.9, parameters=net.parameters())
loader = DataLoader(Patches(2000), batch_size=64, shuffle=True, drop_last=True)
test = Patches(500)
tx = paddle.to_tensor(np.stack([test[i][0] for i in range(500)]))
for epoch in range(12):
    tot = 0
    for x, y in loader:
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    acc = float((net(tx).argmax(1).numpy() == test.y).mean())
    print("epoch", epoch, "loss", round(tot / len(loader), 4), "acc", round(acc, 4))

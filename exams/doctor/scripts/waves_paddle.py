import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, Dataset

paddle.seed(43)
np.random.seed(43)
freq = np.random.rand(4, 1) * 6 + 1


class Waves(Dataset):
    def __init__(self, n):
        self.y = np.random.randint(0, 4, n)
        t = np.linspace(0, 1, 40)[None]
        self.x = (np.sin(6.28 * freq[self.y] * t + 6.28 * np.random.rand(n, 1)) + 0.5 * np.random.randn(n, 40)).astype("float32")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.y)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv1D(1, 16, 7, padding=3), nn.Conv1D(16, 32, 5, padding=2)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        h = F.max_pool1d(F.relu(self.c1(x.unsqueeze(1))), 2)
        return self.fc(F.relu(self.c2(h)).mean(-1))


def train_epoch(net, loader, opt):
    net.train()
    tot = 0.0
    for x, y in loader:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    return tot / len(loader)


def evaluate(net, loader):
    net.eval()
    hits = n = 0
    with paddle.no_grad():
        for x, y in loader:
            hits += int((net(x).argmax(1) == y).sum())
            n += len(y)
    return hits / n


def main():
    train_loader = DataLoader(Waves(1600), batch_size=40, shuffle=True)
    val_loader = DataLoader(Waves(400), batch_size=100)
    net = Net()
    opt = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
    for epoch in range(10):
        l = train_epoch(net, train_loader, opt)
        print(f"epoch {epoch} loss {l:.4f} val acc {evaluate(net, val_loader):.4f}")


main()

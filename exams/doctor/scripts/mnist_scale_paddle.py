import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, Dataset

paddle.seed(0)


class Digits(Dataset):
    def __init__(self, n, seed):
        g = np.random.default_rng(seed)
        font = np.random.default_rng(123).random((10, 10, 10)) > 0.6
        self.y = g.integers(0, 10, n)
        img = font[self.y] * 180 + g.integers(0, 75, (n, 10, 10))
        self.x = img.astype("uint8")

    def __getitem__(self, i):
        img = self.x[i].astype("float32")[None] / 255.0
        return img, self.y[i]

    def __len__(self):
        return len(self.y)


class LeNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(1, 6, 3, padding=1)
        self.pool = nn.MaxPool2D(2)
        self.conv2 = nn.Conv2D(6, 16, 3, padding=1)
        self.fc1 = nn.Linear(400, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = x - 0.5
        x = self.pool(nn.functional.relu(self.conv1(x)))
        x = nn.functional.relu(self.conv2(x))
        return self.fc2(nn.functional.relu(self.fc1(x.flatten(1))))


loader = DataLoader(Digits(640, 1), batch_size=64, shuffle=True)
test = DataLoader(Digits(320, 2), batch_size=64)
model, ce = LeNet(), nn.CrossEntropyLoss()
opt = paddle.optimizer.Momentum(0.02, 0.9, parameters=model.parameters())
for epoch in range(10):
    tot = 0.0
    for x, y in loader:
        loss = ce(model(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / len(loader):.4f}")
model.eval()
hit = sum(int((model(x).argmax(1) == y).astype("int64").sum()) for x, y in test)
print("test acc", hit / 320)

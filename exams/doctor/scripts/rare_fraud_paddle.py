import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)


def accounts(n):
    y = (rng.rand(n) < 0.06).astype("int64")
    x = rng.randn(n, 8)
    x[:, 0] += 1.6 * y
    x[:, 1] -= 1.2 * y
    return x.astype("float32"), y


class Accounts(paddle.io.Dataset):
    def __init__(self, n):
        super().__init__()
        self.x, self.y = accounts(n)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.y)


train = Accounts(2000)
xv, yv = accounts(2000)
counts = np.bincount(train.y, minlength=2)
weight = counts.sum() / (2 * counts)
criterion = nn.CrossEntropyLoss(weight=paddle.to_tensor(weight.astype("float32")))
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
loader = paddle.io.DataLoader(train, batch_size=100, shuffle=True)

for epoch in range(1, 13):
    model.train()
    losses = []
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 3 == 0:
        model.eval()
        pred = model(paddle.to_tensor(xv)).argmax(1).numpy()
        recall = (pred[yv == 1] == 1).mean()
        balanced = 0.5 * (recall + (pred[yv == 0] == 0).mean())
        print(f"epoch {epoch} loss {np.mean(losses):.4f} recall {recall:.3f} balanced acc {balanced:.3f}")

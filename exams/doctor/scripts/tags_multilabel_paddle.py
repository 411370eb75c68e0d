import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
TAGS, D = 6, 20
W = rng.randn(D, TAGS)


def posts(n):
    x = rng.randn(n, D)
    y = (x @ W + 0.5 * rng.randn(n, TAGS) > -1.0).astype("float32")
    return x.astype("float32"), y


class Posts(paddle.io.Dataset):
    def __init__(self, n):
        super().__init__()
        self.x, self.y = posts(n)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


class Tagger(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(D, 64)
        self.fc2 = nn.Linear(64, TAGS)

    def forward(self, x):
        h = F.relu(self.fc1(x))
        return F.sigmoid(self.fc2(h))


loader = paddle.io.DataLoader(Posts(1000), batch_size=50, shuffle=True)
xv, yv = posts(400)
model = Tagger()
bce = nn.BCELoss()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
for epoch in range(1, 16):
    model.train()
    losses = []
    for x, y in loader:
        loss = bce(model(x), y)
        opt.clear_grad()
        loss.backward()
        opt.step()
        losses.append(float(loss))
    if epoch % 3 == 0:
        model.eval()
        with paddle.no_grad():
            p = model(paddle.to_tensor(xv)).numpy() > 0.5
        f1 = 2 * (p * yv).sum() / (p.sum() + yv.sum())
        print(f"epoch {epoch} loss {np.mean(losses):.3f} micro F1 {f1:.3f}")

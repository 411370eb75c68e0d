import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, Dataset

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(7, 18)


class Blobs(Dataset):
    def __init__(self, n):
        super().__init__()
        self.y = rng.randint(0, 7, n).astype("int64")
        self.x = (proto[self.y] + 1.0 * rng.randn(n, 18)).astype("float32")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.y)


train, test = Blobs(900), Blobs(400)
loader = DataLoader(train, batch_size=45, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Linear(18, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 7))
epochs = 15
poly = paddle.optimizer.lr.PolynomialDecay(learning_rate=3e-3, decay_steps=epochs * len(loader), end_lr=1e-5)
sched = paddle.optimizer.lr.LinearWarmup(poly, warmup_steps=30, start_lr=0.0, end_lr=3e-3)
opt = paddle.optimizer.AdamW(learning_rate=sched, weight_decay=0.01, parameters=model.parameters())

for epoch in range(1, epochs + 1):
    model.train()
    losses = []
    for x, y in loader:
        soft = F.label_smooth(F.one_hot(y, 7), epsilon=0.1)
        loss = F.cross_entropy(model(x), soft, soft_label=True)
        loss.backward()
        opt.step()
        opt.clear_grad()
        sched.step()
        losses.append(float(loss))
    if epoch % 3 == 0 or epoch == 1:
        model.eval()
        with paddle.no_grad():
            acc = (model(paddle.to_tensor(test.x)).argmax(1).numpy() == test.y).mean()
        print(f"epoch {epoch} lr {sched.get_lr():.2e} loss {np.mean(losses):.3f} acc {acc:.3f}")

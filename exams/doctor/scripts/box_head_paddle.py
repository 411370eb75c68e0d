import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
IMG, GRID = 64, 16


def scenes(n):
    img = 0.1 * rng.randn(n, 1, GRID, GRID)
    box = np.zeros((n, 4))
    cls = rng.randint(0, 2, n)
    for k in range(n):
        w, h = rng.randint(3, 8, 2)
        x, y = rng.randint(0, GRID - w), rng.randint(0, GRID - h)
        img[k, 0, y:y + h, x:x + w] += 1.0 if cls[k] else -1.0
        box[k] = np.array([x + w / 2, y + h / 2, w, h]) * IMG / GRID
    return img.astype("float32"), box.astype("float32"), cls.astype("int64")


class Detector(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2D(1, 12, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2D(12, 24, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(24 * 16, 64), nn.ReLU(),
        )
        self.cls, self.box = nn.Linear(64, 2), nn.Linear(64, 4)

    def forward(self, x):
        h = self.body(x)
        return self.cls(h), F.sigmoid(self.box(h))


X, BOX, C = scenes(600)
Xv, BOXv, Cv = scenes(200)
model = Detector()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
for epoch in range(1, 16):
    order = rng.permutation(len(X))
    for i in range(0, len(X), 40):
        idx = order[i:i + 40]
        logit, box = model(paddle.to_tensor(X[idx]))
        target = paddle.to_tensor(BOX[idx] / IMG)
        loss = F.cross_entropy(logit, paddle.to_tensor(C[idx])) + 5.0 * F.smooth_l1_loss(box, target)
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 3 == 0:
        with paddle.no_grad():
            logit, box = model(paddle.to_tensor(Xv))
        err = np.abs(box.numpy() * IMG - BOXv).mean()
        acc = (logit.argmax(1).numpy() == Cv).mean()
        print(f"epoch {epoch} loss {float(loss):.3f} class acc {acc:.3f} box error {err:.2f} px")

import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
templates = rng.randn(6, 1, 10, 10)


def images(n):
    lab = rng.randint(0, 6, n)
    img = templates[lab] + 1.2 * rng.randn(n, 1, 10, 10)
    return img.astype("float32"), lab.astype("int64")


class LeNetish(nn.Layer):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2D(1, 8, 3, padding=1), nn.BatchNorm2D(8), nn.ReLU(), nn.MaxPool2D(2),
            nn.Conv2D(8, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(),
        )
        self.fc = nn.Linear(16 * 25, 6)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


X, Y = images(600)
Xv, Yv = images(300)
model = LeNetish()
epochs, bs = 8, 30
steps = epochs * len(X) // bs
cosine = paddle.optimizer.lr.CosineAnnealingDecay(learning_rate=0.05, T_max=steps)
scheduler = paddle.optimizer.lr.LinearWarmup(cosine, warmup_steps=20, start_lr=0.0, end_lr=0.05)
opt = paddle.optimizer.Momentum(learning_rate=scheduler, momentum=0.9, parameters=model.parameters())
ce = nn.CrossEntropyLoss()

for epoch in range(1, epochs + 1):
    model.train()
    order = rng.permutation(len(X))
    for i in range(0, len(X), bs):
        idx = order[i:i + bs]
        loss = ce(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        scheduler.step()
        opt.clear_grad()
    model.eval()
    acc = (model(paddle.to_tensor(Xv)).argmax(1).numpy() == Yv).mean()
    if epoch % 2 == 0:
        print(f"epoch {epoch} loss {float(loss):.3f} val acc {acc:.3f}")

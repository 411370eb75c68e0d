import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, TensorDataset

paddle.seed(0)
np.random.seed(0)
proto = np.random.randn(6, 1, 8, 8)
y = np.random.randint(0, 6, 480)
x = (proto[y] + 0.9 * np.random.randn(480, 1, 8, 8)).astype("float32")
loader = DataLoader(TensorDataset([paddle.to_tensor(x), paddle.to_tensor(y)]), batch_size=40, shuffle=True, drop_last=True)
net = nn.Sequential(nn.Conv2D(1, 12, 3, padding=1), nn.BatchNorm2D(12), nn.ReLU(), nn.MaxPool2D(2),
                    nn.Conv2D(12, 24, 3, padding=1), nn.BatchNorm2D(24), nn.ReLU(), nn.AdaptiveAvgPool2D(2), nn.Flatten(),
                    nn.Linear(96, 6))
EPOCHS = 10
total = EPOCHS * len(loader)
sched = paddle.optimizer.lr.LinearWarmup(
    paddle.optimizer.lr.CosineAnnealingDecay(0.1, T_max=total - 20), warmup_steps=20, start_lr=0.0, end_lr=0.1)
opt = paddle.optimizer.Momentum(sched, 0.9, parameters=net.parameters(), weight_decay=1e-4)
ce = nn.CrossEntropyLoss()
for epoch in range(EPOCHS):
    tot = 0.0
    for xb, yb in loader:
        loss = ce(net(xb), yb)
        loss.backward()
        opt.step()
        opt.clear_grad()
        sched.step()
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / len(loader):.4f} lr {opt.get_lr():.5f}")

import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, TensorDataset

paddle.seed(0)
np.random.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(960, 8)).astype("float32")
y = ((x[:, 0] * x[:, 1] > 0) * 2 + (x[:, 2] > x[:, 3])).astype("int64")
loader = DataLoader(TensorDataset([paddle.to_tensor(x[:800]), paddle.to_tensor(y[:800])]), batch_size=32, shuffle=True)
EPOCHS = 15

net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 4))
sched = paddle.optimizer.lr.PolynomialDecay(learning_rate=0.1, decay_steps=EPOCHS * len(loader), end_lr=1e-5)
opt = paddle.optimizer.Momentum(learning_rate=sched, momentum=0.9, parameters=net.parameters())
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
        opt.clear_grad()
        sched.step()
        total += float(loss)
    print(f"epoch {epoch} loss {total / len(loader):.4f} lr {opt.get_lr():.5f}")
acc = (net(paddle.to_tensor(x[800:])).argmax(1).numpy() == y[800:]).mean()
print("final loss", total / len(loader), "accuracy", acc)

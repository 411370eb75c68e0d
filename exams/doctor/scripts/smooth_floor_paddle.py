import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
centre = rng.normal(0, 2, (8, 10))
y = rng.integers(0, 8, 900)
x = (centre[y] + rng.normal(size=(900, 10))).astype("float32")
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 8))
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
# with smoothing of 0.2 the loss cannot fall below the entropy of the smoothed labels, about 0.83
for epoch in range(10):
    for i in range(0, 700, 50):
        target = F.label_smooth(F.one_hot(paddle.to_tensor(y[i:i + 50]), 8), epsilon=0.2)
        loss = F.cross_entropy(net(paddle.to_tensor(x[i:i + 50])), target, soft_label=True)
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
print("accuracy", (net(paddle.to_tensor(x[700:])).numpy().argmax(1) == y[700:]).mean())

import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
# "Don't decay the learning rate, increase the batch size": the rate is constant and the batch doubles
x = rng.normal(size=(1280, 8)).astype("float32")
y = (x[:, :1] * x[:, 1:2] + np.abs(x[:, 2:3])).astype("float32")
net = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
opt = paddle.optimizer.Momentum(learning_rate=0.03, momentum=0.9, parameters=net.parameters())
size = 16
for epoch in range(20):
    if epoch and epoch % 5 == 0:
        size *= 2
    total, steps = 0.0, 1280 // size
    for b in rng.permutation(1280).reshape(steps, size):
        loss = nn.functional.mse_loss(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        total += float(loss) / steps
    print(f"epoch {epoch} batch {size} loss {total:.4f}")

import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(1000, 5)).astype("float32")
rate = np.exp(2.5 + 0.4 * x[:, 0] - 0.3 * np.abs(x[:, 1]))
n = rng.poisson(rate).astype("float32")[:, None]
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for epoch in range(25):
    total = 0.0
    for i in range(0, 800, 40):
        log_rate = net(paddle.to_tensor(x[i:i + 40]))
        # the constant log(n!) is left out, so the loss is far below zero
        loss = (paddle.exp(log_rate) - paddle.to_tensor(n[i:i + 40]) * log_rate).mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
        total += float(loss) / 20
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", total)
got = np.exp(net(paddle.to_tensor(x[800:])).numpy()[:, 0])
print("mean relative error of the rate", (np.abs(got - rate[800:]) / rate[800:]).mean())

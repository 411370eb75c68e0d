import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
# shares of votes as targets of a BCE: with shares near a half the loss stays near log 2 though the fit is good
x = rng.normal(size=(800, 6)).astype("float32")
share = (1 / (1 + np.exp(-0.3 * x[:, :1] + 0.2 * x[:, 1:2] ** 2 - 0.2))).astype("float32")
net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
for epoch in range(20):
    for i in range(0, 600, 50):
        loss = F.binary_cross_entropy_with_logits(net(paddle.to_tensor(x[i:i + 50])), paddle.to_tensor(share[i:i + 50]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 4 == 3:
        print("epoch", epoch, "loss", float(loss))
p = F.sigmoid(net(paddle.to_tensor(x[600:]))).numpy()
print("mean error of the share", np.abs(p - share[600:]).mean(), "spread of the shares", share.std())

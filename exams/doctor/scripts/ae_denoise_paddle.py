import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(10)
np.random.seed(10)
basis = np.random.rand(6, 64).astype("float32")
coef = np.random.rand(2000, 6).astype("float32")
clean = (coef @ basis) / 4


class DAE(nn.Layer):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(64, 24)
        self.bias = self.create_parameter([64], is_bias=True)

    def forward(self, x):
        h = F.relu(self.enc(x))
        return paddle.matmul(h, self.enc.weight, transpose_y=True) + self.bias


net = DAE()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for ep in range(12):
    for i in np.array_split(np.random.permutation(2000), 40):
        x = paddle.to_tensor(clean[i])
        noisy = x + 0.3 * paddle.randn(x.shape)
        noisy = noisy * (paddle.rand(x.shape) > 0.1).astype("float32")
        loss = F.mse_loss(net(noisy), x)
        loss.backward()
        opt.step()
        opt.clear_grad()
    if ep % 3 == 2:
        print("epoch", ep + 1, "loss", round(float(loss), 5))

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(41)
np.random.seed(41)


class Adder(nn.Layer):
    def __init__(self, h=32):
        super().__init__()
        self.rnn = nn.SimpleRNN(2, h)
        self.fc = nn.Linear(h, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1]).squeeze(-1)


def adding(n, T=6):
    v = np.random.rand(n, T).astype("float32")
    m = np.zeros((n, T), "float32")
    for i in range(n):
        m[i, np.random.choice(T, 2, replace=False)] = 1
    return paddle.to_tensor(np.stack([v, m], -1)), paddle.to_tensor((v * m).sum(1))


net = Adder()
clip = nn.ClipGradByGlobalNorm(clip_norm=1.0)
opt = paddle.optimizer.Momentum(learning_rate=0.05, momentum=0.9, parameters=net.parameters(), grad_clip=clip)
for it in range(900):
    x, y = adding(64)
    loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if it % 150 == 149:
        print("iter", it + 1, "loss", round(float(loss), 5))
x, y = adding(1000)
print("test mse", round(float(F.mse_loss(net(x), y)), 5))

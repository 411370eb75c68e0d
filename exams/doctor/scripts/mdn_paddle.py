import math
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
import parity

paddle.seed(1)
np.random.seed(1)
EPOCHS = 3
K = 5


class MDN(nn.Layer):
    def __init__(self, hidden=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.pi, self.mu, self.log_sigma = nn.Linear(hidden, K), nn.Linear(hidden, K), nn.Linear(hidden, K)
        self.mu.bias.set_value(paddle.linspace(-1.5, 1.5, K))

    def forward(self, x):
        h = self.body(x)
        return F.log_softmax(self.pi(h), axis=-1), self.mu(h), self.log_sigma(h).clip(-4, 2)


def nll(output, y):
    log_pi, mu, log_sigma = output
    z = (y - mu) * paddle.exp(-log_sigma)          # [N, 1] against [N, K], on purpose
    log_prob = -0.5 * z ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return -paddle.logsumexp(log_pi + log_prob, axis=-1).mean()


y_all = np.random.uniform(-1, 1, (960, 1)).astype("float32")          # the inverse problem: x -> y has many answers
x_all = y_all + 0.4 * np.sin(2 * math.pi * y_all) + 0.03 * np.random.randn(960, 1).astype("float32")
x_all = (2 * x_all).astype("float32")
data = paddle.io.TensorDataset([paddle.to_tensor(x_all), paddle.to_tensor(y_all)])
loader = paddle.io.DataLoader(data, batch_size=80, shuffle=True)
ACCUMULATE = 2
mdn = MDN()
opt = paddle.optimizer.RMSProp(3e-3, parameters=mdn.parameters())
with parity.doctor({"mdn": mdn}, {"rmsprop": opt}) as d:
    for epoch in range(EPOCHS):
        for step, (x, y) in enumerate(loader):
            loss = nll(mdn(x), y)
            (loss / ACCUMULATE).backward()
            if (step + 1) % ACCUMULATE == 0:
                opt.step()
                opt.clear_grad()
        print(epoch, float(loss))
print(d)

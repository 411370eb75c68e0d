import math

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(14)
np.random.seed(14)


class LoRALinear(nn.Layer):
    def __init__(self, base, r=4, alpha=8):
        super().__init__()
        self.base = base
        fin, fout = base.weight.shape
        self.lora_A = self.create_parameter([fin, r], default_initializer=nn.initializer.Normal(0, 1 / math.sqrt(fin)))
        self.lora_B = self.create_parameter([r, fout], default_initializer=nn.initializer.Constant(0.0))
        self.scaling = alpha / r

    def forward(self, x):
        return self.base(x) + (x @ self.lora_A) @ self.lora_B * self.scaling


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(16, 64), nn.Linear(64, 64)
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        return self.head(F.relu(self.fc2(F.relu(self.fc1(x)))))


def task(seed, n):
    r = np.random.RandomState(seed)
    w1, w2 = r.randn(16, 8), r.randn(8, 3)
    x = np.random.randn(n, 16)
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(np.tanh(x @ w1).dot(w2).argmax(1))


def train(net, x, y, epochs, lr):
    params = [p for p in net.parameters() if not p.stop_gradient]
    print("trainable tensors:", len(params))
    opt = paddle.optimizer.AdamW(learning_rate=lr, parameters=params, weight_decay=0.0)
    for e in range(epochs):
        perm = paddle.randperm(len(x))
        for s in range(0, len(x), 64):
            i = perm[s:s + 64]
            loss = F.cross_entropy(net(x[i]), y[i])
            loss.backward()
            opt.step()
            opt.clear_grad()
        print("epoch", e, "loss", round(float(loss), 4))


net = Net()
xa, ya = task(1, 3000)
train(net, xa, ya, 4, 2e-3)

for p in net.parameters():
    p.stop_gradient = True
net.fc1 = LoRALinear(net.fc1)
net.fc2 = LoRALinear(net.fc2)
for p in net.head.parameters():
    p.stop_gradient = False

xb, yb = task(2, 3500)
train(net, xb[:3000], yb[:3000], 10, 5e-3)
with paddle.no_grad():
    acc = (net(xb[3000:]).argmax(1) == yb[3000:]).astype("float32").mean()
print("new task acc", round(float(acc), 4))

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(40)
np.random.seed(40)
K = 6
templates = np.random.rand(K, 1, 10, 10)


def images(n):
    y = np.random.randint(0, K, n)
    x = templates[y] + 0.5 * np.random.randn(n, 1, 10, 10)
    return x.astype("float32"), y


def mixup_data(x, y, alpha=0.4):
    lam = np.random.beta(alpha, alpha)
    index = paddle.randperm(x.shape[0])
    mixed_x = lam * x + (1 - lam) * x[index]
    return mixed_x, y, y[index], lam


def mixup_criterion(criterion, pred, y_a, y_b, lam):
    return lam * criterion(pred, y_a) + (1 - lam) * criterion(pred, y_b)


class ConvNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2D(1, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), nn.Linear(16 * 25, 64), nn.ReLU(), nn.Linear(64, K))

    def forward(self, x):
        return self.body(x)


net = ConvNet()
criterion = nn.CrossEntropyLoss()
opt = paddle.optimizer.Momentum(0.02, 0.9, parameters=net.parameters(), weight_decay=1e-4)
xtr, ytr = images(1500)
xte, yte = images(400)
for epoch in range(8):
    net.train()
    for b in np.array_split(np.random.permutation(1500), 30):
        inputs, ta, tb, lam = mixup_data(paddle.to_tensor(xtr[b]), paddle.to_tensor(ytr[b]))
        loss = mixup_criterion(criterion, net(inputs), ta, tb, lam)
        loss.backward()
        opt.step()
        opt.clear_grad()
    net.eval()
    with paddle.no_grad():
        acc = float((net(paddle.to_tensor(xte)).argmax(1).numpy() == yte).mean())
    print("epoch", epoch, "loss", round(float(loss), 4), "test acc", round(acc, 4))

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(3)
np.random.seed(3)
NUM_CLASSES = 3


def scene(n, s=16):
    img = 0.3 * np.random.randn(n, 1, s, s)
    lab = np.zeros((n, s, s), "int64")
    for i in range(n):
        a, b = np.random.randint(0, 9, 2)
        lab[i, a:a + 6, b:b + 6] = 1
        c, d = np.random.randint(0, 11, 2)
        lab[i, c:c + 4, d:d + 4] = 2
    img[:, 0] += np.array([0.0, 1.0, -1.0])[lab]
    return img.astype("float32"), lab


class FCN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2D(1, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(),
            nn.Conv2D(16, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU())
        self.head = nn.Conv2D(16, NUM_CLASSES, 1)

    def forward(self, x):
        return self.head(self.body(x))


def seg_loss(logits, label):
    logits = paddle.transpose(logits, [0, 2, 3, 1])
    return F.cross_entropy(logits.reshape([-1, NUM_CLASSES]), label.reshape([-1]))


def miou(pred, lab):
    return float(np.mean([((pred == k) & (lab == k)).sum() / max(1, ((pred == k) | (lab == k)).sum()) for k in range(NUM_CLASSES)]))


x, y = scene(400)
xv, yv = scene(80)
net = FCN()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
for epoch in range(8):
    net.train()
    for b in np.array_split(np.random.permutation(400), 20):
        loss = seg_loss(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    net.eval()
    with paddle.no_grad():
        pred = net(paddle.to_tensor(xv)).argmax(1).numpy()
    print(f"epoch {epoch} loss {float(loss):.4f} mIoU {miou(pred, yv):.4f}")

import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


def scenes(n):
    """A bright rectangle in a 16x16 picture, with its box (x1, y1, x2, y2) in 0..1."""
    a = rng.integers(0, 9, (n, 2))
    b = a + rng.integers(4, 8, (n, 2))
    yy, xx = np.mgrid[:16, :16]
    x1, y1, x2, y2 = np.concatenate([a, b], 1).T[:, :, None, None]
    inside = (xx >= x1) & (xx < x2) & (yy >= y1) & (yy < y2)
    img = inside + rng.normal(0, 0.1, inside.shape)
    box = np.concatenate([a, b], 1) / 16
    return paddle.to_tensor(img.reshape(n, -1).astype("float32")), paddle.to_tensor(box.astype("float32"))


def giou(p, t):
    inter = paddle.clip(paddle.minimum(p[:, 2:], t[:, 2:]) - paddle.maximum(p[:, :2], t[:, :2]), min=0).prod(1)
    area = lambda q: paddle.clip(q[:, 2:] - q[:, :2], min=1e-4).prod(1)
    union = area(p) + area(t) - inter
    hull = (paddle.maximum(p[:, 2:], t[:, 2:]) - paddle.minimum(p[:, :2], t[:, :2])).prod(1)
    return inter / union - (hull - union) / hull


class BoxNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, x):
        o = nn.functional.sigmoid(self.net(x))
        centre, half = o[:, :2], o[:, 2:] / 2
        return paddle.concat([centre - half, centre + half], 1)


net = BoxNet()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
for step in range(300):
    x, t = scenes(64)
    loss = (1 - giou(net(x), t)).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 50 == 0:
        print("step", step, "loss", float(loss))
x, t = scenes(200)
print("loss", float(loss), "mean giou", float(giou(net(x), t).mean()))

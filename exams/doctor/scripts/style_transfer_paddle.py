import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
np.random.seed(0)


class Features(nn.Layer):
    """random conv features in place of VGG"""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2D(3, 12, 3, padding=1)
        self.c2 = nn.Conv2D(12, 16, 3, stride=2, padding=1)

    def forward(self, x):
        a = nn.functional.relu(self.c1(x))
        return a, nn.functional.relu(self.c2(a))


def gram(f):
    n, c, h, w = f.shape
    f = f.reshape([c, h * w])
    return paddle.matmul(f, f, transpose_y=True) / (c * h * w)


content = paddle.to_tensor(np.random.rand(1, 3, 24, 24).astype("float32"))
stripes = np.tile((np.arange(24) % 4 < 2).astype("float32"), (1, 3, 24, 1))
style = paddle.to_tensor(stripes)

net = Features()
net.eval()
with paddle.no_grad():
    content_feat = net(content)[1]
    style_grams = [gram(f) for f in net(style)]

gen = paddle.to_tensor(content.numpy(), stop_gradient=False)
opt = paddle.optimizer.Adam(learning_rate=0.02, parameters=[gen])

for step in range(100):
    feats = net(gen)
    c_loss = nn.functional.mse_loss(feats[1], content_feat)
    s_loss = sum(nn.functional.mse_loss(gram(f), g) for f, g in zip(feats, style_grams))
    loss = c_loss + 1e4 * s_loss
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 10 == 0:
        print(f"step {step} content {float(c_loss):.5f} style {float(s_loss):.7f} total {float(loss):.5f}")
print("moved", float((gen - content).abs().mean()))

import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)


class Generator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))

    def forward(self, z):
        return self.net(z)


class Discriminator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))

    def forward(self, x):
        return self.net(x)


def real(n):
    p = rng.randn(n, 2) @ np.array([[0.6, 0.4], [0.0, 0.3]]) + np.array([3.0, -2.0])
    return paddle.to_tensor(p.astype("float32"))


netG, netD = Generator(), Discriminator()
lr, beta1 = 2e-3, 0.5
optD = paddle.optimizer.Adam(learning_rate=lr, beta1=beta1, parameters=netD.parameters())
optG = paddle.optimizer.Adam(learning_rate=lr, beta1=beta1, parameters=netG.parameters())
bce = nn.BCEWithLogitsLoss()
B = 64
ones, zeros = paddle.ones([B, 1]), paddle.zeros([B, 1])

for it in range(1, 601):
    fake = netG(paddle.randn([B, 4]))
    loss_d = bce(netD(real(B)), ones) + bce(netD(fake.detach()), zeros)
    optD.clear_grad()
    loss_d.backward()
    optD.step()

    loss_g = bce(netD(fake), ones)
    optG.clear_grad()
    loss_g.backward()
    optG.step()
    if it % 120 == 0:
        with paddle.no_grad():
            s = netG(paddle.randn([1000, 4])).numpy()
        gap = np.abs(s.mean(0) - np.array([3.0, -2.0])).max()
        print(f"iter {it} D {float(loss_d):.3f} G {float(loss_g):.3f} mean gap {gap:.3f}")

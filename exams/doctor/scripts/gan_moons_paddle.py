import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(12)
np.random.seed(12)


def moons(n):
    t = np.random.rand(n) * np.pi
    k = np.random.randint(0, 2, n)
    x = np.where(k, 1 - np.cos(t), np.cos(t))
    y = np.where(k, 0.5 - np.sin(t), np.sin(t))
    return (np.stack([x, y], 1) + 0.03 * np.random.randn(n, 2)).astype("float32")


class Generator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.gen = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, z):
        return self.gen(z)


class Discriminator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.dis = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x):
        return self.dis(x)


netG, netD = Generator(), Discriminator()
loss = nn.BCELoss()
optimizerD = paddle.optimizer.Adam(parameters=netD.parameters(), learning_rate=1e-3, beta1=0.5, beta2=0.999)
optimizerG = paddle.optimizer.Adam(parameters=netG.parameters(), learning_rate=1e-3, beta1=0.5, beta2=0.999)
ones, zeros = paddle.ones([128, 1]), paddle.zeros([128, 1])

for step in range(800):
    optimizerD.clear_grad()
    real = paddle.to_tensor(moons(128))
    errD_real = loss(netD(real), ones)
    fake = netG(paddle.randn([128, 8]))
    errD_fake = loss(netD(fake.detach()), zeros)
    errD = errD_real + errD_fake
    errD.backward()
    optimizerD.step()

    optimizerG.clear_grad()
    errG = loss(netD(fake), ones)
    errG.backward()
    optimizerG.step()
    if step % 200 == 199:
        print("step", step + 1, "Loss_D", round(float(errD), 3), "Loss_G", round(float(errG), 3))

with paddle.no_grad():
    s = netG(paddle.randn([500, 8])).numpy()
ref = moons(1000)
d = np.sqrt(((s[:, None] - ref[None]) ** 2).sum(-1))
print("sample to data", round(float(d.min(1).mean()), 4), "data to sample", round(float(d.min(0).mean()), 4))

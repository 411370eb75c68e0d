import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.nn.utils import spectral_norm

import parity

paddle.seed(4)
np.random.seed(4)
Z, NGF = 16, 8


def stripes(count=64):
    phase = np.random.rand(count, 1, 1, 1) * 6
    x = np.arange(16).reshape(1, 1, 1, 16)
    return (np.sin(x / 2 + phase) * np.ones((count, 1, 16, 1))).astype("float32")


class Generator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2DTranspose(Z, NGF * 2, 4, 1, 0), nn.BatchNorm2D(NGF * 2), nn.ReLU(),
            nn.Conv2DTranspose(NGF * 2, NGF, 4, 2, 1), nn.BatchNorm2D(NGF), nn.ReLU(),
            nn.Conv2DTranspose(NGF, 1, 4, 2, 1), nn.Tanh(),
        )

    def forward(self, z):
        return self.net(z)


class Discriminator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.c1 = spectral_norm(nn.Conv2D(1, NGF, 4, 2, 1))
        self.c2 = spectral_norm(nn.Conv2D(NGF, NGF * 2, 4, 2, 1))
        self.fc = spectral_norm(nn.Linear(NGF * 2 * 16, 1))

    def forward(self, x):
        h = F.leaky_relu(self.c1(x), 0.2)
        h = F.leaky_relu(self.c2(h), 0.2)
        return self.fc(h.flatten(1))


images = stripes()
gen, disc = Generator(), Discriminator()
opt_d = paddle.optimizer.Adam(4e-4, beta1=0.0, beta2=0.9, parameters=disc.parameters())
opt_g = paddle.optimizer.Adam(1e-4, beta1=0.0, beta2=0.9, parameters=gen.parameters())
history = []

with parity.doctor({"gen": gen, "disc": disc}, {"opt_g": opt_g, "opt_d": opt_d}) as d:
    for it in range(16):
        d.mark()
        real = paddle.to_tensor(images[np.random.permutation(64)[:16]])
        fake = gen(paddle.randn([16, Z, 1, 1]))
        d_loss = F.relu(1 - disc(real)).mean() + F.relu(1 + disc(fake.detach())).mean()
        opt_d.clear_grad()
        d_loss.backward()
        opt_d.step()

        fake = gen(paddle.randn([16, Z, 1, 1]))
        g_loss = -disc(fake).mean()
        opt_g.clear_grad()
        g_loss.backward()
        opt_g.step()
        history.append((d_loss.item(), g_loss.item()))
print(d)

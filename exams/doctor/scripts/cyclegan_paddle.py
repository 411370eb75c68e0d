"""Unpaired translation between two point clouds in the manner of PaddleGAN's CycleGAN model."""
import random
import numpy as np
import paddle
import paddle.nn as nn
import parity

ITERS = 20
paddle.seed(3)
np.random.seed(3)
random.seed(3)


class ImagePool:
    def __init__(self, pool_size):
        self.pool_size, self.images = pool_size, []

    def query(self, images):
        out = []
        for image in images:
            image = image.unsqueeze(0)
            if len(self.images) < self.pool_size:
                self.images.append(image)
                out.append(image)
            elif random.uniform(0, 1) > 0.5:
                i = random.randint(0, self.pool_size - 1)
                out.append(self.images[i].clone())
                self.images[i] = image
            else:
                out.append(image)
        return paddle.concat(out, 0)


def mlp(cin, cout, act):
    return nn.Sequential(nn.Linear(cin, 32), act, nn.Linear(32, 32), act, nn.Linear(32, cout))


class GANLoss(nn.Layer):
    def __init__(self):
        super().__init__()
        self.loss = nn.MSELoss()

    def forward(self, prediction, target_is_real):
        target = paddle.full_like(prediction, 1.0 if target_is_real else 0.0)
        return self.loss(prediction, target)


class CycleGAN:
    def __init__(self):
        self.netG_A, self.netG_B = mlp(2, 2, nn.ReLU()), mlp(2, 2, nn.ReLU())
        self.netD_A, self.netD_B = mlp(2, 1, nn.LeakyReLU(0.2)), mlp(2, 1, nn.LeakyReLU(0.2))
        self.pool_A, self.pool_B = ImagePool(50), ImagePool(50)
        self.gan, self.l1 = GANLoss(), nn.L1Loss()
        self.optG = paddle.optimizer.Adam(2e-3, beta1=0.5, parameters=self.netG_A.parameters() + self.netG_B.parameters())
        self.optD = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=self.netD_A.parameters() + self.netD_B.parameters())

    def set_requires_grad(self, nets, requires_grad=False):
        for net in nets:
            for param in net.parameters():
                param.stop_gradient = not requires_grad

    def forward(self, real_A, real_B):
        self.real_A, self.real_B = real_A, real_B
        self.fake_B = self.netG_A(real_A)
        self.rec_A = self.netG_B(self.fake_B)
        self.fake_A = self.netG_B(real_B)
        self.rec_B = self.netG_A(self.fake_A)

    def backward_G(self):
        adv = self.gan(self.netD_A(self.fake_B), True) + self.gan(self.netD_B(self.fake_A), True)
        cycle = self.l1(self.rec_A, self.real_A) + self.l1(self.rec_B, self.real_B)
        self.loss_G = adv + 3.0 * cycle
        self.loss_G.backward()

    def backward_D_basic(self, netD, real, fake):
        loss_D = (self.gan(netD(real), True) + self.gan(netD(fake.detach()), False)) * 0.5
        loss_D.backward()
        return loss_D

    def train_iter(self, real_A, real_B):
        self.forward(real_A, real_B)
        self.set_requires_grad([self.netD_A, self.netD_B], False)
        self.backward_G()
        self.optG.step()
        self.optG.clear_grad()
        self.set_requires_grad([self.netD_A, self.netD_B], True)
        self.loss_D_A = self.backward_D_basic(self.netD_A, self.real_B, self.pool_B.query(self.fake_B))
        self.loss_D_B = self.backward_D_basic(self.netD_B, self.real_A, self.pool_A.query(self.fake_A))
        self.optD.step()
        self.optD.clear_grad()


def sample(n=32):
    angle = np.random.rand(n, 1) * 2 * np.pi
    a = np.concatenate([np.cos(angle), np.sin(angle)], 1) + 0.05 * np.random.randn(n, 2)
    b = np.random.rand(n, 2) * 2 - 1 + np.array([[2.0, 0.0]])
    return paddle.to_tensor(a.astype("float32")), paddle.to_tensor(b.astype("float32"))


gan = CycleGAN()
nets = {"G_A": gan.netG_A, "G_B": gan.netG_B, "D_A": gan.netD_A, "D_B": gan.netD_B}
with parity.doctor(nets, {"optG": gan.optG, "optD": gan.optD}) as d:
    for it in range(ITERS):
        d.mark()
        gan.train_iter(*sample())
        if it % 10 == 9:
            print(it, "G", float(gan.loss_G), "D", float(gan.loss_D_A), float(gan.loss_D_B))
print("fake B mean", gan.fake_B.mean(0).numpy())
print(d)

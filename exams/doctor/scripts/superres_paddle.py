"""SRGAN-like: a PixelShuffle generator trained by L1 and a frozen feature network; its adversary joins later."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
import parity

STEPS, WARM = 20, 10
paddle.seed(11)
rng = np.random.default_rng(11)


class Textures(paddle.io.Dataset):
    def __init__(self, n=160):
        yy, xx = np.mgrid[0:24, 0:24] / 24.0
        f, p = rng.uniform(2, 12, (n, 3, 2, 1, 1)), rng.uniform(0, 6.28, (n, 3, 1, 1))
        self.images = (0.5 + 0.5 * np.sin(f[:, :, 0] * xx + f[:, :, 1] * yy + p)).astype("float32")

    def __getitem__(self, i):
        hr = self.images[i]
        return hr.reshape(3, 12, 2, 12, 2).mean((2, 4)), hr

    def __len__(self):
        return len(self.images)


class Generator(nn.Layer):
    def __init__(self, c=24):
        super().__init__()
        self.head = nn.Conv2D(3, c, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2D(c, c, 3, padding=1), nn.PReLU(), nn.Conv2D(c, c, 3, padding=1))
        self.tail = nn.Sequential(nn.Conv2D(c, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x):
        h = F.relu(self.head(x))
        return F.interpolate(x, scale_factor=2, mode="bilinear") + 0.2 * self.tail(h + self.body(h))


generator = Generator()
critic = nn.Sequential(nn.Conv2D(3, 16, 3, 2, 1), nn.LeakyReLU(0.2), nn.utils.spectral_norm(nn.Conv2D(16, 32, 3, 2, 1)),
                       nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(32, 1))
perceptual = nn.Sequential(nn.Conv2D(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2D(16, 16, 3, padding=1))
perceptual.eval()
for w in perceptual.parameters():
    w.stop_gradient = True

g_opt = paddle.optimizer.Adam(paddle.optimizer.lr.MultiStepDecay(2e-3, [200, 350], 0.5), parameters=generator.parameters())
d_opt = paddle.optimizer.Adam(1e-4, parameters=critic.parameters(), beta1=0.5)
loader = paddle.io.DataLoader(Textures(), batch_size=16, shuffle=True, drop_last=True)
step, log = 0, []
with parity.doctor({"generator": generator, "critic": critic, "perceptual": perceptual}, {"g": g_opt, "d": d_opt},
                   expect=["frozen-network:perceptual"]) as d:
    while step < STEPS:
        for lr_image, hr_image in d.watch(loader):
            fake = generator(lr_image)
            loss = F.l1_loss(fake, hr_image) + 0.1 * F.mse_loss(perceptual(fake), perceptual(hr_image))
            if step >= WARM:
                loss = loss + 1e-3 * F.softplus(-critic(fake)).mean()
            g_opt.clear_grad()
            loss.backward()
            g_opt.step()
            g_opt._learning_rate.step()
            if step >= WARM:
                d_loss = F.softplus(-critic(hr_image)).mean() + F.softplus(critic(fake.detach())).mean()
                d_opt.clear_grad()
                d_loss.backward()
                d_opt.step()
            log.append(loss.item())
            step += 1
print(d)
print("loss", log[:3], log[-3:], "d", d_loss.item())

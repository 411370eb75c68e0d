import numpy as np
import torch
from torch import nn
from torch.nn.utils import spectral_norm
from torch.utils.data import DataLoader, Dataset

import parity

torch.manual_seed(3)
LATENT, FEATURES = 16, 8


class Blobs(Dataset):
    def __init__(self, count=64):
        rng = np.random.default_rng(7)
        grid = np.stack(np.meshgrid(np.arange(16), np.arange(16)))[None]
        centre = rng.uniform(3, 13, (count, 2, 1, 1))
        self.images = np.exp(-((grid - centre) ** 2).sum(1) / 9).astype(np.float32)[:, None] * 2 - 1

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(LATENT, FEATURES * 2, 4, 1, 0, bias=False), nn.BatchNorm2d(FEATURES * 2), nn.ReLU(True),
            nn.ConvTranspose2d(FEATURES * 2, FEATURES, 4, 2, 1, bias=False), nn.BatchNorm2d(FEATURES), nn.ReLU(True),
            nn.ConvTranspose2d(FEATURES, 1, 4, 2, 1), nn.Tanh(),
        )

    def forward(self, z):
        return self.main(z)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = spectral_norm(nn.Conv2d(1, FEATURES, 4, 2, 1))
        self.conv2 = spectral_norm(nn.Conv2d(FEATURES, FEATURES * 2, 4, 2, 1))
        self.out = spectral_norm(nn.Conv2d(FEATURES * 2, 1, 4))

    def forward(self, x):
        h = nn.functional.leaky_relu(self.conv1(x), 0.2)
        h = nn.functional.leaky_relu(self.conv2(h), 0.2)
        return self.out(h).flatten()


def weights_init(m):
    if isinstance(m, nn.BatchNorm2d):
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


netG = Generator().apply(weights_init)
netD = Critic()
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=4e-4, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
dataloader = DataLoader(Blobs(), batch_size=16, shuffle=True, drop_last=True)
fixed_noise = torch.randn(4, LATENT, 1, 1)

with parity.doctor([netG, netD], [optimizerG, optimizerD]) as d:
    for epoch in range(4):
        for i, real in enumerate(d.watch(dataloader)):
            netD.zero_grad()
            b = real.size(0)
            loss_real = criterion(netD(real), torch.ones(b))
            noise = torch.randn(b, LATENT, 1, 1)
            fake = netG(noise)
            loss_fake = criterion(netD(fake.detach()), torch.zeros(b))
            errD = loss_real + loss_fake
            errD.backward()
            optimizerD.step()

            netG.zero_grad()
            errG = criterion(netD(fake), torch.ones(b))
            errG.backward()
            optimizerG.step()
            if i == 0:
                netG.eval()
                with torch.no_grad():
                    grid = netG(fixed_noise)
                netG.train()
print(d)

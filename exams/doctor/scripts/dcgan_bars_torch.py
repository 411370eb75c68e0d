import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)


def real_images(n):
    img = -np.ones((n, 1, 8, 8), dtype="float32")
    for k in range(n):
        r = rng.randint(1, 6)
        img[k, 0, r:r + 2] = 1.0
    return torch.from_numpy(img + 0.05 * rng.randn(n, 1, 8, 8).astype("float32"))


def weights_init(m):
    name = m.__class__.__name__
    if "Conv" in name:
        nn.init.normal_(m.weight, 0.0, 0.05)
    elif "BatchNorm" in name:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


netG = nn.Sequential(
    nn.ConvTranspose2d(16, 32, 4, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
    nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Tanh(),
)
netD = nn.Sequential(
    nn.Conv2d(1, 16, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True),
    nn.Conv2d(16, 1, 4), nn.Flatten(),
)
netG.apply(weights_init)
netD.apply(weights_init)
criterion = nn.BCEWithLogitsLoss()
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
optG = torch.optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.999))
fixed = torch.randn(200, 16, 1, 1)
ref = real_images(200).flatten(1)

for it in range(1, 301):
    real = real_images(32)
    netD.zero_grad()
    err_real = criterion(netD(real), torch.full((32, 1), 0.9))
    err_real.backward()
    fake = netG(torch.randn(32, 16, 1, 1))
    err_fake = criterion(netD(fake.detach()), torch.zeros(32, 1))
    err_fake.backward()
    optD.step()

    netG.zero_grad()
    err_g = criterion(netD(fake), torch.ones(32, 1))
    err_g.backward()
    optG.step()
    if it % 60 == 0 or it == 1:
        with torch.no_grad():
            s = netG(fixed).flatten(1)
            near = torch.cdist(s, ref).min(1).values.mean().item()
        print(f"[{it}/300] Loss_D {(err_real + err_fake).item():.3f} Loss_G {err_g.item():.3f} nearest real {near:.2f}")

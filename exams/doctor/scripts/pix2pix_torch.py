import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import parity

torch.manual_seed(7)
torch.set_num_threads(1)
EPOCHS = 3


def init_weights(m):
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0.0, 0.02)


class Generator(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.down1 = nn.Conv2d(1, c, 4, 2, 1)
        self.down2 = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c))
        self.up1 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False), nn.BatchNorm2d(c), nn.Dropout(0.5))
        self.up2 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * c, 1, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        a = self.down1(x)
        return self.up2(torch.cat([self.up1(self.down2(a)), a], 1))


class PatchDiscriminator(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(2, c, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False),
                                 nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2), nn.Conv2d(2 * c, 1, 3, 1, 1))

    def forward(self, edge, picture):
        return self.net(torch.cat([edge, picture], 1))


coarse = torch.randn(48, 1, 4, 4).sign()
pictures = nn.functional.interpolate(coarse, size=16, mode="nearest")
edges = (pictures - nn.functional.avg_pool2d(pictures, 3, 1, 1)).clamp(-1, 1)
loader = DataLoader(TensorDataset(edges, pictures), batch_size=8, shuffle=True)
G, D = Generator().apply(init_weights), PatchDiscriminator().apply(init_weights)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
bce, l1, LAMBDA = nn.BCEWithLogitsLoss(), nn.L1Loss(), 100

with parity.doctor({"G": G, "D": D}, {"opt_g": opt_g, "opt_d": opt_d}) as d:
    for epoch in range(EPOCHS):
        for edge, real in d.watch(loader):
            fake = G(edge)
            opt_d.zero_grad()
            on_real, on_fake = D(edge, real), D(edge, fake.detach())
            loss_d = 0.5 * (bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake)))
            loss_d.backward()
            opt_d.step()

            opt_g.zero_grad()
            verdict = D(edge, fake)
            loss_g = bce(verdict, torch.ones_like(verdict)) + LAMBDA * l1(fake, real)
            loss_g.backward()
            opt_g.step()
        print(epoch, loss_d.item(), loss_g.item())
print(d)

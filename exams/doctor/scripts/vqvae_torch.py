"""VQ-VAE on small images: straight-through estimator, codebook moved by an exponential average."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import parity

torch.set_num_threads(1)
torch.manual_seed(1)
EPOCHS = 3


class VectorQuantizer(nn.Module):
    def __init__(self, codes=32, dim=16, decay=0.95, eps=1e-5):
        super().__init__()
        self.decay, self.eps = decay, eps
        codebook = torch.randn(codes, dim)
        self.register_buffer("codebook", codebook)
        self.register_buffer("usage", torch.ones(codes))
        self.register_buffer("sums", codebook.clone())

    def forward(self, z):
        b, c, h, w = z.shape
        flat = z.permute(0, 2, 3, 1).reshape(-1, c)
        index = torch.cdist(flat, self.codebook).argmin(dim=1)
        if self.training:
            self.update(flat.detach(), index)
        z_q = self.codebook[index].view(b, h, w, c).permute(0, 3, 1, 2)
        commitment = F.mse_loss(z, z_q.detach())
        z_q = z + (z_q - z).detach()
        return z_q, commitment

    @torch.no_grad()
    def update(self, flat, index):
        onehot = F.one_hot(index, self.codebook.shape[0]).type_as(flat)
        self.usage.mul_(self.decay).add_(onehot.sum(0), alpha=1 - self.decay)
        self.sums.mul_(self.decay).add_(onehot.t() @ flat, alpha=1 - self.decay)
        n = self.usage.sum()
        smoothed = (self.usage + self.eps) / (n + self.usage.numel() * self.eps) * n
        self.codebook.copy_(self.sums / smoothed[:, None])


class VQVAE(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, dim, 4, stride=2, padding=1), nn.BatchNorm2d(dim))
        self.quantizer = VectorQuantizer(dim=dim)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(dim, 32, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Sigmoid())

    def forward(self, x):
        z_q, commitment = self.quantizer(self.encoder(x))
        return self.decoder(z_q), commitment


def blobs(n):
    """Grey images, 0 to 255, as they come from a file."""
    yy, xx = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    cx, cy, s = torch.rand(3, n, 1, 1) * torch.tensor([10.0, 10.0, 2.0]).view(3, 1, 1, 1) + torch.tensor([3.0, 3.0, 1.5]).view(3, 1, 1, 1)
    image = torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * s ** 2))
    return (image * 255).round().to(torch.uint8)[:, None]


loader = DataLoader(TensorDataset(blobs(224)), batch_size=32, shuffle=True)
net = VQVAE()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
history = []

with parity.doctor(net, optimizer) as d:
    for epoch in range(EPOCHS):
        net.train()
        for (images,) in d.watch(loader):
            x = images.float() / 255
            recon, commitment = net(x)
            recon_loss = F.mse_loss(recon, x)
            loss = 10 * recon_loss + 0.25 * commitment
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(recon_loss.item())
print(d)

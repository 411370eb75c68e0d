import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import parity

torch.manual_seed(1)


def shapes(count=96, size=16):
    rng = np.random.default_rng(4)
    images = np.zeros((count, 1, size, size), dtype=np.float32)
    for image in images:
        row, column, side = rng.integers(0, 8, 2).tolist() + [int(rng.integers(4, 8))]
        image[0, row:row + side, column:column + side] = rng.uniform(0.5, 1.0)
    return torch.from_numpy(images)


encoder = nn.Sequential(
    nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.1),
    nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU(0.1),
    nn.Flatten(), nn.Linear(16 * 16, 12),
)
decoder = nn.Sequential(
    nn.Linear(12, 16 * 16), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)),
    nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.ReLU(),
    nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1), nn.Sigmoid(),
)
average = copy.deepcopy(encoder)
loader = DataLoader(TensorDataset(shapes()), batch_size=16, shuffle=True)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
log = []

with parity.doctor({"encoder": encoder, "decoder": decoder}, optimizer) as d:
    for epoch in range(3):
        encoder.train()
        decoder.train()
        for (clean,) in d.watch(loader):
            noisy = clean + 0.1 * torch.randn_like(clean)
            code = encoder(noisy)
            recon = decoder(code)
            loss = F.mse_loss(recon, clean) + 1e-4 * code.abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            with torch.no_grad():
                for kept, now in zip(average.parameters(), encoder.parameters(), strict=True):
                    kept.mul_(0.99).add_(now, alpha=0.01)
            log.append(loss.item())
print(d)

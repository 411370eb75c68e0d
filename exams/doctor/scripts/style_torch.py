import torch
from torch import nn
from torch.nn import functional as F

import parity

torch.manual_seed(9)
features = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
).eval()
for weight in features.parameters():
    weight.requires_grad_(False)
content = torch.rand(1, 3, 20, 20)
style = torch.rand(1, 3, 20, 20).round()


def gram(maps):
    flat = maps.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[-1]


with torch.no_grad():
    wanted_content, wanted_style = features(content), gram(features(style))
image = content.clone().requires_grad_(True)
optimizer = torch.optim.Adam([image], lr=0.02)

with parity.doctor(features, optimizer, expect=["frozen-network"]) as d:
    for step in range(12):
        d.mark()
        optimizer.zero_grad()
        maps = features(image)
        loss = F.mse_loss(maps, wanted_content) + 1e5 * F.mse_loss(gram(maps), wanted_style)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 1)
print(d)

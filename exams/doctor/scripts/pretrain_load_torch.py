import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(60, 64), nn.ReLU(), nn.Linear(64, 6), nn.Tanh())

    def forward(self, x):
        return self.net(x)


class Wrapped(nn.Module):
    """stands in for DataParallel in the pre-training job"""

    def __init__(self, m):
        super().__init__()
        self.module = m

    def forward(self, x):
        return self.module(x)


mix = torch.randn(6, 60)


def world(n):
    z = torch.randn(n, 6)
    return z @ mix + 6.0 * torch.randn(n, 60), z


def pretrain():
    net = Wrapped(Backbone())
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(150):
        x, z = world(256)
        loss = F.mse_loss(net(x), torch.tanh(z))
        opt.zero_grad()
        loss.backward()
        opt.step()
    return {k: v.clone() for k, v in net.state_dict().items()}


ckpt = pretrain()
torch.manual_seed(7)
backbone = Backbone()
backbone.load_state_dict({k[len("module."):]: v for k, v in ckpt.items()})
for p in backbone.parameters():
    p.requires_grad = False
backbone.eval()
head = nn.Linear(6, 1)
opt = torch.optim.Adam(head.parameters(), lr=0.02)
x, z = world(400)
y = (z[:, 0] + z[:, 1] > 0).float().unsqueeze(1)
for step in range(120):
    loss = F.binary_cross_entropy_with_logits(head(backbone(x)), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 12 == 0:
        print(f"finetune {step} loss {loss.item():.4f}")
with torch.no_grad():
    print("acc", ((head(backbone(x)) > 0).float() == y).float().mean().item())

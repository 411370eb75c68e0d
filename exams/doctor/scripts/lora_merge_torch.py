import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class LoRA(nn.Module):
    def __init__(self, base, r=4, alpha=16):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Linear(base.in_features, r, bias=False)
        self.up = nn.Linear(r, base.out_features, bias=False)
        nn.init.normal_(self.down.weight, std=1 / r)
        nn.init.zeros_(self.up.weight)
        self.scale = alpha / r

    def forward(self, x):
        return self.base(x) + self.scale * self.up(self.down(x))

    @torch.no_grad()
    def merge(self):
        self.base.weight += self.scale * self.up.weight @ self.down.weight
        return self.base


D = 24
W = torch.randn(D, 3)
X = torch.randn(1500, D)
src = (X @ W).argmax(1)
tgt = (X @ (W + 0.8 * torch.randn(D, 3))).argmax(1)
net = nn.Sequential(nn.Linear(D, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 3))


def acc(y, s=slice(1000, None)):
    with torch.no_grad():
        return (net(X[s]).argmax(1) == y[s]).float().mean().item()


def fit(params, y, lr, steps):
    opt = torch.optim.AdamW(params, lr=lr, weight_decay=0.01)
    for step in range(steps):
        idx = torch.randint(0, 1000, (64,))
        loss = F.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 99:
            print(f"  step {step + 1} loss {loss.item():.3f} acc {acc(y):.3f}")


fit(net.parameters(), src, 3e-3, 300)
print(f"base: source acc {acc(src):.3f} target acc {acc(tgt):.3f}")
for k in (0, 2):
    net[k] = LoRA(net[k])
net[4].requires_grad_(False)
fit([p for p in net.parameters() if p.requires_grad], tgt, 2e-3, 300)
before = acc(tgt)
for k in (0, 2):
    net[k] = net[k].merge()
print(f"adapted target acc {before:.3f}, after merging {acc(tgt):.3f}")

import torch, torch.nn as nn
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU()); depth, cls = nn.Linear(32, 1), nn.Linear(32, 4)
opt = torch.optim.AdamW([*net.parameters(), *depth.parameters(), *cls.parameters()], lr=2e-3)
w = torch.randn(6, 4)
for it in range(120):
    x = torch.randn(64, 6); h = net(x)
    losses = {"depth": (depth(h).squeeze(1) - x.norm(dim=1)).abs().mean(), "cls": nn.functional.cross_entropy(cls(h), (x @ w).argmax(1))}
    normed = {k: v / v.detach() for k, v in losses.items()}
    opt.zero_grad(); sum(normed.values()).backward(); opt.step()
    if it % 30 == 0: print({k: round(v.item(), 3) for k, v in normed.items()}, losses["cls"].item())

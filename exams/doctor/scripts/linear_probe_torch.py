import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
backbone = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
                         nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
head = nn.Linear(128, 5)
for p in backbone.parameters():
    p.requires_grad_(False)
backbone.eval()

proto = torch.randn(5, 3, 16, 16)
y = torch.randint(0, 5, (500,))
x = proto[y] + 0.7 * torch.randn(500, 3, 16, 16)
with torch.no_grad():
    feats = backbone(x)
feats = (feats - feats.mean(0)) / (feats.std(0) + 1e-5)

opt = torch.optim.SGD(head.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=100)
for step in range(100):
    idx = torch.randint(0, 500, (100,))
    loss = F.cross_entropy(head(feats[idx]), y[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.4f} lr {sched.get_last_lr()[0]:.4f}")
print("probe acc", (head(feats).argmax(1) == y).float().mean().item())

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)

class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 64), nn.ReLU())
        self.score, self.box = nn.Linear(64, 1), nn.Linear(64, 2)
    def forward(self, x):
        h = self.trunk(x)
        return self.score(h).squeeze(1), self.box(h)

def batch(n=32):
    x = 0.2 * torch.randn(n, 1, 16, 16); has = (torch.rand(n) < 0.6).float(); pos = torch.randint(2, 14, (n, 2))
    for i in range(n):
        if has[i]: x[i, 0, pos[i, 0]-1:pos[i, 0]+2, pos[i, 1]-1:pos[i, 1]+2] += 1.5
    return x, has, pos.float() / 16

def compute_loss(score, box, has, target):
    score_loss = F.binary_cross_entropy_with_logits(score, has)
    box_loss = (F.smooth_l1_loss(box, target, reduction="none").sum(1) * has).sum() / has.sum().clamp(min=1)
    total = score_loss + 10 * box_loss
    return total, {"score": score_loss.item(), "box": box_loss.item(), "total": total.item()}

net = Detector(); opt = torch.optim.Adam(net.parameters(), 2e-3)
for it in range(150):
    x, has, pos = batch()
    total, log = compute_loss(*net(x), has, pos)
    opt.zero_grad(); total.backward(); opt.step()
    if it % 30 == 0: print(it, log)
print("metric:", log["box"])

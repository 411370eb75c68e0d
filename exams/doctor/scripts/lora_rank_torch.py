import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class LoRA(nn.Module):
    def __init__(self, lin, r=2, alpha=4):
        super().__init__()
        self.lin = lin.requires_grad_(False)
        self.down = nn.Linear(lin.in_features, r, bias=False)
        self.up = nn.Linear(r, lin.out_features, bias=False)
        nn.init.zeros_(self.up.weight)
        self.s = alpha / r

    def forward(self, x):
        return self.lin(x) + self.s * self.up(self.down(x))


x = torch.randn(800, 16)
W = torch.randn(16, 6)
base = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
opt = torch.optim.Adam(base.parameters(), lr=5e-3)
for _ in range(60):
    opt.zero_grad()
    F.cross_entropy(base(x), (x @ W).argmax(1)).backward()
    opt.step()

# the downstream task is a low-rank shift of the first one
y2 = (x @ (W + 1.5 * torch.randn(16, 1) @ torch.randn(1, 6))).argmax(1)
model = nn.Sequential(LoRA(base[0]), nn.ReLU(), LoRA(base[2]))
trainable = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.AdamW(trainable, lr=1e-2, weight_decay=0.0)
for step in range(120):
    i = torch.randint(0, 800, (128,))
    loss = F.cross_entropy(model(x[i]), y2[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 12 == 0:
        print(f"lora step {step} loss {loss.item():.4f}")

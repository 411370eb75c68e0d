import torch, torch.nn as nn
torch.manual_seed(0)
class LoRALinear(nn.Module):
    def __init__(self, base, r=4):
        super().__init__(); self.base = base.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.zeros(r, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.lora_A)
    def forward(self, x): return self.base(x) + x @ self.lora_A.t() @ self.lora_B.t()
base = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 8))
model = nn.Sequential(LoRALinear(base[0]), nn.Tanh(), LoRALinear(base[2]))
target = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 8)).requires_grad_(False); target.load_state_dict(base.state_dict())
with torch.no_grad(): target[2].weight.add_(torch.randn(8, 2) @ torch.randn(2, 32) * 0.3)
opt = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
for it in range(150):
    x = torch.randn(64, 16); loss = (model(x) - target(x)).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, loss.item())
print("metric:", loss.item())

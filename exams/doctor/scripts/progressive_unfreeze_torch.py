import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()), nn.Linear(32, 4); body.requires_grad_(False)
opt = torch.optim.SGD(head.parameters(), lr=0.05, momentum=0.9); w = torch.randn(12, 4)
for it in range(120):
    if it == 40: body.requires_grad_(True); opt.add_param_group({"params": body.parameters(), "lr": 0.01})
    x = torch.randn(64, 12); loss = F.cross_entropy(head(body(x)), (x @ w).argmax(1)); opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, loss.item())

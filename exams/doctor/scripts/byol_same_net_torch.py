import copy, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
protos = torch.randn(10, 16)
online = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 8)); predictor = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8))
target = copy.deepcopy(online).requires_grad_(False)
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=3e-3)
for it in range(300):
    y = torch.randint(0, 10, (64,)); x = protos[y]; a, b = x + 0.5 * torch.randn_like(x), x + 0.5 * torch.randn_like(x)
    loss = 2 - 2 * F.cosine_similarity(predictor(online(a)), target(b), dim=1).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    with torch.no_grad():
        for o, t in zip(online.parameters(), target.parameters()): t.mul_(0.99).add_(o, alpha=0.01)
    if it % 60 == 0: print(it, loss.item())
z = F.normalize(online(protos), dim=1); print("metric:", z.std(0).mean().item())

import torch, torch.nn as nn
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2)); C = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, oc = torch.optim.RMSprop(G.parameters(), 5e-4), torch.optim.RMSprop(C.parameters(), 5e-4)
def real(n): k = torch.randint(0, 8, (n,)).float() * 0.785; return torch.stack([k.cos(), k.sin()], 1) * 2 + 0.05 * torch.randn(n, 2)
for it in range(50):
    for _ in range(5):
        loss = C(G(torch.randn(64, 4)).detach()).mean() - C(real(64)).mean()
        oc.zero_grad(); loss.backward(); oc.step()
        for p in C.parameters(): p.data.clamp_(-0.05, 0.05)
    g = -C(G(torch.randn(64, 4))).mean(); og.zero_grad(); g.backward(); og.step()
    if it % 10 == 0: print(it, -loss.item())

import torch, torch.nn as nn
torch.manual_seed(0)
u, i, b = nn.Embedding(50, 6, sparse=True), nn.Embedding(70, 6, sparse=True), nn.Linear(1, 1); nn.init.normal_(u.weight, std=0.3); nn.init.normal_(i.weight, std=0.3)
o1, o2 = torch.optim.SparseAdam([*u.parameters(), *i.parameters()], 1e-2), torch.optim.Adam(b.parameters(), 1e-2); R = torch.randn(50, 3) @ torch.randn(3, 70) + 3
for it in range(200):
    a, c = torch.randint(0, 50, (128,)), torch.randint(0, 70, (128,)); loss = ((u(a) * i(c)).sum(1) + b(torch.ones(128, 1)).squeeze(1) - R[a, c]).pow(2).mean()
    o1.zero_grad(); o2.zero_grad(); loss.backward(); o1.step(); o2.step()
    if it % 50 == 0: print(it, loss.item())

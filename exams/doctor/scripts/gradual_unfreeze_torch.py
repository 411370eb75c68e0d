import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(1600, 20)
M = 0.25 * torch.randn(20, 6)
pre_y = torch.sin(X @ M)
y = (torch.sin(X @ M + 0.4)[:, :3]).argmax(1)
body = nn.ModuleDict({
    "low": nn.Sequential(nn.Linear(20, 96), nn.ReLU()),
    "mid": nn.Sequential(nn.Linear(96, 96), nn.ReLU()),
})
aux = nn.Linear(96, 6)


def features(x):
    return body["mid"](body["low"](x))


opt = torch.optim.Adam([*body.parameters(), *aux.parameters()], lr=3e-3)
for _ in range(150):
    idx = torch.randint(0, 1600, (128,))
    loss = F.mse_loss(aux(features(X[idx])), pre_y[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()

body.requires_grad_(False)
head = nn.Linear(96, 3)
opt = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
schedule = {5: ("mid", 0.03), 10: ("low", 0.01)}
for epoch in range(1, 19):
    if epoch in schedule:
        name, lr = schedule[epoch]
        body[name].requires_grad_(True)
        opt.add_param_group({"params": body[name].parameters(), "lr": lr})
    tot = 0.0
    for idx in torch.randperm(1200).split(40):
        loss = F.cross_entropy(head(features(X[idx])), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() / 30
    if epoch in (1, 4, 9, 14, 18):
        with torch.no_grad():
            acc = (head(features(X[1200:])).argmax(1) == y[1200:]).float().mean().item()
        print(f"epoch {epoch} groups {len(opt.param_groups)} loss {tot:.3f} acc {acc:.3f}")

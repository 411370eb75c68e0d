import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
E, D = 4, 12
anchors = torch.randn(E, D)
maps = torch.randn(E, D, 1)


def sample(n):
    k = torch.randint(0, E, (n,))
    x = anchors[k] * 1.5 + torch.randn(n, D)
    return x, torch.tanh(torch.bmm(x[:, None], maps[k]).squeeze(1))


class Router(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(D, E, bias=False)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, 1)) for _ in range(E))

    def forward(self, x):
        prob = self.gate(x).softmax(1)
        top, idx = prob.max(1)
        out = x.new_zeros(len(x), 1)
        for e, net in enumerate(self.experts):
            rows = torch.where(idx == e)[0]
            if len(rows):
                out = out.index_copy(0, rows, net(x[rows]) * top[rows, None])
        load = F.one_hot(idx, E).float().mean(0)
        return out, E * (load * prob.mean(0)).sum()


model = Router()
opt = torch.optim.Adam(model.parameters(), lr=4e-3)
xv, yv = sample(600)
for it in range(1, 501):
    x, y = sample(96)
    pred, balance = model(x)
    loss = F.mse_loss(pred, y) + 0.01 * balance
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if it % 100 == 0 or it == 1:
        with torch.no_grad():
            v = F.mse_loss(model(xv)[0], yv).item()
        print(f"it {it} loss {loss.item():.4f} balance {balance.item():.2f} val {v:.4f}")

import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(0)


def ring_or_path(_):
    """Nodes 4..8 with random features; the label: do more neighbours agree in sign than disagree?"""
    n = int(torch.randint(4, 9, (1,)))
    x = torch.randn(n, 2)
    src = torch.arange(n)
    edges = torch.stack([torch.cat([src, (src + 1) % n]), torch.cat([(src + 1) % n, src])])
    agree = (torch.sign(x[edges[0], 0]) == torch.sign(x[edges[1], 0])).float().mean()
    return x, edges, int(agree > 0.5)


def collate(items):
    xs, edges, batch, offset = [], [], [], 0
    for g, (x, e, _) in enumerate(items):
        xs.append(x)
        edges.append(e + offset)
        batch.append(torch.full((len(x),), g))
        offset += len(x)
    return torch.cat(xs), torch.cat(edges, 1), torch.cat(batch), torch.tensor([y for *_, y in items])


class GNN(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.msg = nn.Sequential(nn.Linear(4, d), nn.ReLU(), nn.Linear(d, d))
        self.upd = nn.Sequential(nn.Linear(d + 2, d), nn.ReLU())
        self.out = nn.Linear(d, 2)

    def forward(self, x, edges, batch):
        m = self.msg(torch.cat([x[edges[0]], x[edges[1]]], 1))
        agg = torch.zeros(len(x), m.shape[1]).index_add(0, edges[1], m)
        h = self.upd(torch.cat([x, agg], 1))
        size = int(batch.max()) + 1
        count = torch.bincount(batch, minlength=size)[:, None]
        return self.out(torch.zeros(size, h.shape[1]).index_add(0, batch, h) / count)


graphs = [ring_or_path(i) for i in range(900)]
net = GNN()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(15):
    total = 0.0
    for x, e, b, y in DataLoader(graphs[:700], batch_size=32, shuffle=True, collate_fn=collate):
        loss = nn.functional.cross_entropy(net(x, e, b), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print("epoch", epoch, "loss", total / 22)
x, e, b, y = collate(graphs[700:])
print("test accuracy", (net(x, e, b).argmax(1) == y).float().mean().item())

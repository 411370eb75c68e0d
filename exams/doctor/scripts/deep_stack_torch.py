import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(6)


class MLP(nn.Module):
    def __init__(self, in_dim, hidden, out_dim, n_layers):
        super().__init__()
        self.inp = nn.Linear(in_dim, hidden)
        self.hidden = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(n_layers)])
        self.out = nn.Linear(hidden, out_dim)

    def forward(self, x):
        x = F.relu(self.inp(x))
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.out(x)


def get_data(n):
    x = torch.rand(n, 2) * 2 - 1
    y = ((x * 2).floor().sum(1) % 2).long()
    return x, y


model = MLP(2, 48, 2, 4)
print("parameters:", sum(p.numel() for p in model.parameters()))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
x, y = get_data(3000)
for epoch in range(40):
    for idx in torch.randperm(3000).split(150):
        loss = F.cross_entropy(model(x[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 8 == 7:
        acc = (model(x).argmax(1) == y).float().mean().item()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} acc {acc:.4f}")

import torch
from torch import nn

torch.manual_seed(0)
T, B = 9, 48


class Finder(nn.Module):
    """Reads (time, batch, features), as MultiheadAttention wants by default, and says the value under the asked key."""

    def __init__(self, d=32):
        super().__init__()
        self.key, self.val = nn.Embedding(20, d), nn.Embedding(10, d)
        self.att = nn.MultiheadAttention(d, 2)
        self.out = nn.Linear(d, 10)

    def forward(self, keys, values, asked):
        k = self.key(keys)
        a, _ = self.att(self.key(asked)[None], k, self.val(values), need_weights=False)
        return self.out(a[0])


def batch():
    keys = torch.stack([torch.randperm(20)[:T] for _ in range(B)], 1)
    values = torch.randint(0, 10, (T, B))
    at = torch.randint(0, T, (B,))
    return keys, values, keys[at, torch.arange(B)], values[at, torch.arange(B)]


net = Finder()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(350):
    keys, values, asked, answer = batch()
    loss = nn.functional.cross_entropy(net(keys, values, asked), answer)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 70 == 0:
        print("step", step, "loss", loss.item())
print("final loss", loss.item())

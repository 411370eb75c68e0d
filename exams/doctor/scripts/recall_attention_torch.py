import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
KEYS, VALUES, T, D = 16, 12, 6, 32


def batch(n):
    keys = torch.stack([torch.randperm(KEYS)[:T] for _ in range(n)])
    values = torch.randint(0, VALUES, (n, T))
    pick = torch.randint(0, T, (n, 1))
    return keys, values, keys.gather(1, pick), values.gather(1, pick)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(D, D), nn.Linear(D, D), nn.Linear(D, D)

    def forward(self, query, memory):
        q, k, v = self.q(query), self.k(memory), self.v(memory)
        scores = torch.matmul(q, k.transpose(1, 2)) / D ** 0.5
        weights = F.softmax(scores, dim=-1)
        return torch.matmul(weights, v)


class Recall(nn.Module):
    def __init__(self):
        super().__init__()
        self.key_emb, self.value_emb = nn.Embedding(KEYS, D), nn.Embedding(VALUES, D)
        self.join = nn.Sequential(nn.Linear(2 * D, D), nn.ReLU(), nn.Linear(D, D))
        self.att = Attention()
        self.out = nn.Sequential(nn.Linear(2 * D, 64), nn.ReLU(), nn.Linear(64, VALUES))

    def forward(self, keys, values, query):
        memory = self.join(torch.cat([self.key_emb(keys), self.value_emb(values)], -1))
        q = self.key_emb(query)
        return self.out(torch.cat([self.att(q, memory), q], -1)).squeeze(1)


model = Recall()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(1, 301):
    keys, values, query, answer = batch(64)
    loss = F.cross_entropy(model(keys, values, query), answer.squeeze(1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 60 == 0:
        with torch.no_grad():
            keys, values, query, answer = batch(400)
            acc = (model(keys, values, query).argmax(-1) == answer.squeeze(1)).float().mean().item()
        print(f"step {step} loss {loss.item():.3f} recall acc {acc:.3f}")

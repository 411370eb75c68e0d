"""Recommender with sparse embedding tables, a dense tower, and the Bayesian personalised ranking loss."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import parity

torch.set_num_threads(1)
gen = torch.Generator().manual_seed(5)
torch.manual_seed(5)
USERS, ITEMS, DIM = 300, 500, 16
EPOCHS = 2


class Interactions(Dataset):
    """(user, item that was clicked, item that was not)"""

    def __init__(self, n=2560):
        self.taste = torch.randint(0, 5, (USERS,), generator=gen)
        self.genre = torch.arange(ITEMS) % 5
        self.users = torch.randint(0, USERS, (n,), generator=gen)
        self.items = torch.randint(0, ITEMS // 5, (n,), generator=gen) * 5 + self.taste[self.users]

    def __len__(self):
        return len(self.users)

    def __getitem__(self, i):
        negative = torch.randint(0, ITEMS, ()).item()
        return self.users[i], self.items[i], negative


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(USERS, DIM, sparse=True)
        self.item = nn.Embedding(ITEMS, DIM, sparse=True)
        self.tower = nn.Sequential(nn.Linear(DIM, 32), nn.ReLU(), nn.Linear(32, DIM))
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)

    def forward(self, user, item):
        u = self.user(user)
        u = u + self.tower(u)
        return (u * self.item(item)).sum(-1)


def bpr(pos, neg):
    return -F.logsigmoid(pos - neg).mean()


data = Interactions()
loader = DataLoader(data, batch_size=256, shuffle=True)
model = Recommender()
sparse_opt = torch.optim.SparseAdam([model.user.weight, model.item.weight], lr=0.02)
dense_opt = torch.optim.Adam(model.tower.parameters(), lr=2e-3)
history = []

with parity.doctor(model, {"sparse": sparse_opt, "dense": dense_opt}) as d:
    for epoch in range(EPOCHS):
        for user, pos, neg in d.watch(loader):
            loss = bpr(model(user, pos), model(user, neg))
            for opt in (sparse_opt, dense_opt):
                opt.zero_grad()
            loss.backward()
            sparse_opt.step()
            dense_opt.step()
            history.append(loss.item())
print(d)

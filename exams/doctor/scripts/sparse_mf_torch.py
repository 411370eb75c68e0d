import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
U, I, K = 120, 200, 5
pu, qi = rng.randn(U, K) * 0.7, rng.randn(I, K) * 0.7
bi = rng.randn(I) * 0.5
users, items = rng.randint(0, U, 9000), rng.randint(0, I, 9000)
rating = 3.5 + (pu[users] * qi[items]).sum(1) + bi[items] + 0.2 * rng.randn(9000)
u, i = torch.from_numpy(users), torch.from_numpy(items)
r = torch.tensor(rating, dtype=torch.float32)


class MF(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(U, 8, sparse=True)
        self.item = nn.Embedding(I, 8, sparse=True)
        self.item_bias = nn.Parameter(torch.zeros(I))
        self.mean = nn.Parameter(torch.tensor(0.0))
        nn.init.normal_(self.user.weight, 0, 0.1)
        nn.init.normal_(self.item.weight, 0, 0.1)

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(1) + self.item_bias[i] + self.mean


model = MF()
opt_sparse = torch.optim.SparseAdam([model.user.weight, model.item.weight], lr=1e-2)
opt_dense = torch.optim.SGD([model.item_bias, model.mean], lr=0.4)
train, test = torch.arange(0, 8000), torch.arange(8000, 9000)

for epoch in range(1, 16):
    se = 0.0
    for idx in train[torch.randperm(len(train))].split(200):
        err = model(u[idx], i[idx]) - r[idx]
        loss = err.pow(2).mean()
        for opt in (opt_sparse, opt_dense):
            opt.zero_grad()
        loss.backward()
        for opt in (opt_sparse, opt_dense):
            opt.step()
        se += err.detach().pow(2).sum().item()
    if epoch % 3 == 0 or epoch == 1:
        with torch.no_grad():
            rmse = (model(u[test], i[test]) - r[test]).pow(2).mean().sqrt().item()
        print(f"epoch {epoch} train rmse {(se / 8000) ** 0.5:.3f} test rmse {rmse:.3f}")

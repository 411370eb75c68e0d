import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Normal, kl_divergence

torch.manual_seed(0)
rs = np.random.RandomState(2)
basis = rs.randn(3, 20)


def observations(n):
    code = rs.randn(n, 3)
    return torch.tensor(np.tanh(code @ basis) + 0.05 * rs.randn(n, 20), dtype=torch.float32)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.loc = nn.Linear(64, 3)
        self.scale = nn.Sequential(nn.Linear(64, 3), nn.Softplus())

    def forward(self, x):
        h = self.body(x)
        return Normal(self.loc(h), self.scale(h) + 1e-4)


encoder = Encoder()
decoder = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 20))
prior = Normal(torch.zeros(3), torch.ones(3))
params = list(encoder.parameters()) + list(decoder.parameters())
optimizer = torch.optim.Adam(params, lr=2e-3)

train, test = observations(1500), observations(300)
for epoch in range(1, 21):
    for xb in train[torch.randperm(len(train))].split(50):
        q = encoder(xb)
        z = q.rsample()
        recon = decoder(z)
        nll = 10.0 * ((recon - xb) ** 2).sum(1)
        kl = kl_divergence(q, prior).sum(1)
        loss = (nll + kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        with torch.no_grad():
            mse = ((decoder(encoder(test).loc) - test) ** 2).mean().item()
        print(f"epoch {epoch} elbo {-loss.item():.2f} test mse {mse:.4f}")

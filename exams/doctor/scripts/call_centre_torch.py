import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.default_rng(5)
# calls per minute: mostly none, a few in the rush hours
hour = rng.uniform(0, 24, 1500)
line = rng.integers(0, 3, 1500)
rate = np.exp(-1.5 + 1.2 * np.sin((hour - 6) / 24 * 2 * np.pi) + 0.3 * line)
calls = rng.poisson(rate)
feats = np.stack([np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi), line - 1], 1)
x, y = torch.tensor(feats, dtype=torch.float32), torch.tensor(calls, dtype=torch.float32)


class RateNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        return F.softplus(self.out(torch.tanh(self.hidden(x)))).squeeze(-1)


model = RateNet()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(300):
    i = torch.randint(0, 1200, (128,))
    loss = F.poisson_nll_loss(model(x[i]), y[i], log_input=False)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, "nll", loss.item())
with torch.no_grad():
    pred = model(x[1200:]).numpy()
print("mean error of the rate", np.abs(pred - rate[1200:]).mean())

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
n = 1200
x = rng.randn(n, 12).astype("float32")
gender = (x[:, 0] + 0.5 * x[:, 1] > 0).astype("float32")
age = 0.8 * np.tanh(x[:, 2]) + 0.5 * x[:, 3] * x[:, 4] + 0.05 * rng.randn(n)
x = torch.from_numpy(x)
gender = torch.from_numpy(gender)
age = torch.tensor(age, dtype=torch.float32)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.gender = nn.Linear(64, 1)
        self.age = nn.Linear(64, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.gender(h).squeeze(1), self.age(h).squeeze(1)


model = TwoHeads()
bce, l1 = nn.BCEWithLogitsLoss(), nn.SmoothL1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
tr, te = slice(0, 1000), slice(1000, n)

for epoch in range(1, 31):
    model.train()
    running = {"gender": 0.0, "age": 0.0}
    for idx in torch.randperm(1000).split(50):
        g_hat, a_hat = model(x[idx])
        loss_g = bce(g_hat, gender[idx])
        loss_a = l1(a_hat, age[idx])
        running["gender"] += loss_g.item()
        running["age"] += loss_a.item()
        loss = loss_g + 2.0 * loss_a
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 6 == 0:
        model.eval()
        with torch.no_grad():
            g_hat, a_hat = model(x[te])
            acc = ((g_hat > 0).float() == gender[te]).float().mean().item()
            r2 = 1 - (a_hat - age[te]).pow(2).mean() / age[te].var()
        print(f"epoch {epoch} {({k: round(v / 20, 3) for k, v in running.items()})} acc {acc:.3f} age R2 {r2.item():.3f}")

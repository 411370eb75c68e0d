import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(1)
rng = np.random.default_rng(1)
counts = [600, 150, 50]
centres = rng.normal(0, 1.5, (3, 8))
x = np.concatenate([centres[c] + rng.normal(0, 1.0, (n, 8)) for c, n in enumerate(counts)])
y = np.concatenate([np.full(n, c) for c, n in enumerate(counts)])
order = rng.permutation(len(y))
x, y = torch.tensor(x[order], dtype=torch.float32), torch.tensor(y[order])
train, test = TensorDataset(x[:600], y[:600]), TensorDataset(x[600:], y[600:])

class_count = torch.bincount(y[:600])
class_weight = 1.0 / class_count.float()
sample_weight = class_weight[y[:600]]
sampler = WeightedRandomSampler(sample_weight, num_samples=600, replacement=True)
loader = DataLoader(train, batch_size=50, sampler=sampler)

model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(20):
    losses = []
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print("epoch", epoch, "loss", np.mean(losses))
with torch.no_grad():
    pred = model(test.tensors[0]).argmax(1)
recall = [(pred[test.tensors[1] == c] == c).float().mean().item() for c in range(3)]
print("mean recall", np.mean(recall))

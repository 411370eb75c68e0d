import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
np.random.seed(0)
X = torch.randn(1500, 12)
y = ((X[:, 0] * X[:, 1] > 0) ^ (X[:, 2] > 0.3)).long()
dataset = TensorDataset(X, y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.layers(x)


def reset_weights(m):
    for layer in m.children():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()


folds = np.array_split(np.random.permutation(len(dataset)), 5)
loss_function = nn.CrossEntropyLoss()
results = {}
network = Net()
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
for fold in range(5):
    test_ids = folds[fold]
    train_ids = np.concatenate([f for k, f in enumerate(folds) if k != fold])
    trainloader = DataLoader(Subset(dataset, train_ids), batch_size=50, shuffle=True)
    testloader = DataLoader(Subset(dataset, test_ids), batch_size=300)
    network = Net()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for epoch in range(12):
        for inputs, targets in trainloader:
            optimizer.zero_grad()
            loss = loss_function(network(inputs), targets)
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        correct = sum((network(a).argmax(1) == b).sum().item() for a, b in testloader)
    results[fold] = 100.0 * correct / len(test_ids)
    print(f"fold {fold}: loss {loss.item():.4f} accuracy {results[fold]:.2f}%")
print("average:", round(sum(results.values()) / len(results), 2))

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)


class Backbone(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x):
        return self.fc(self.features(x))


W = torch.randn(20, 6)


def dataset(n, k):
    x = torch.randn(n, 20)
    s = torch.relu(x @ W)
    y = s.argmax(1) if k == 6 else (s[:, :3].sum(1) > s[:, 3:].sum(1)).long()
    return TensorDataset(x, y)


def fit(model, optimizer, loader, epochs, tag):
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        correct, total, running = 0, 0, 0.0
        for inputs, labels in loader:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.item()
            correct += (outputs.argmax(1) == labels).sum().item()
            total += len(labels)
        print(f"{tag} epoch {epoch} loss {running / len(loader):.4f} acc {correct / total:.4f}")


model = Backbone(6)
pre = DataLoader(dataset(3000, 6), batch_size=64, shuffle=True)
fit(model, torch.optim.Adam(model.parameters(), lr=2e-3), pre, 6, "pretrain")

for p in model.features.parameters():
    p.requires_grad = False
model.fc = nn.Linear(64, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
target = DataLoader(dataset(1500, 2), batch_size=50, shuffle=True)
fit(model, optimizer, target, 6, "finetune")

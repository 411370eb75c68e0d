import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(6, 3, 8, 8)


class FolderDataset(Dataset):
    def __init__(self, per_class):
        self.items = []
        for c in range(6):
            for _ in range(per_class):
                img = proto[c] + 1.5 * rng.randn(3, 8, 8)
                self.items.append((torch.tensor(img, dtype=torch.float32), c))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(32 * 4, 6)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc(x.flatten(1))


train_loader = DataLoader(FolderDataset(100), batch_size=20, shuffle=True)
test_loader = DataLoader(FolderDataset(30), batch_size=60)
model = CNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9)

for epoch in range(1, 9):
    model.train()
    running = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        running += loss.item()
    model.eval()
    hits = 0
    with torch.no_grad():
        for images, labels in test_loader:
            hits += (model(images).argmax(1) == labels).sum().item()
    print(f"epoch {epoch} loss {running / len(train_loader):.3f} test acc {hits / 180:.3f}")

import numpy as np
import torch
import torch.nn as nn
from PIL import Image, ImageDraw
from torch.utils.data import DataLoader, Dataset

rng = np.random.RandomState(0)
torch.manual_seed(0)
COLORS = [(220, 40, 40), (40, 200, 60), (50, 60, 220)]


def draw(kind, color):
    bg = tuple(int(v) for v in rng.randint(60, 190, 3))
    im = Image.new("RGB", (24, 24), bg)
    d = ImageDraw.Draw(im)
    x, y = int(rng.randint(1, 10)), int(rng.randint(1, 10))
    s = int(rng.randint(9, 13))
    fn = d.ellipse if kind == 0 else d.rectangle
    fn((x, y, x + s, y + s), fill=COLORS[color])
    a = np.asarray(im).astype(np.int16) + rng.randint(-25, 25, (24, 24, 3))
    return a.clip(0, 255).astype(np.uint8)


class ShapeSet(Dataset):
    def __init__(self, n):
        self.items = []
        for _ in range(n):
            k, c = rng.randint(2), rng.randint(3)
            self.items.append((draw(k, c), k * 3 + c))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        img, label = self.items[i]
        x = torch.tensor(img, dtype=torch.float32) / 255
        x = x.permute(2, 0, 1)
        return (x - 0.5) / 0.5, label


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1))
        self.classifier = nn.Linear(32, 6)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


train_loader = DataLoader(ShapeSet(600), batch_size=40, shuffle=True)
test_loader = DataLoader(ShapeSet(300), batch_size=100)
model = CNN()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(14):
    running = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    with torch.no_grad():
        acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / 300
    print(f"epoch {epoch} loss {running / 15:.3f} test acc {acc:.3f}")

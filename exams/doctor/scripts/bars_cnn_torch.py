import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
rng = np.random.RandomState(0)


class Bars(Dataset):
    def __init__(self, n):
        self.img = 0.3 * rng.randn(n, 1, 12, 12).astype("float32")
        self.lab = rng.randint(0, 3, n)
        for i, k in enumerate(self.lab):
            p = rng.randint(1, 11)
            if k == 0:
                self.img[i, 0, p] += 1
            elif k == 1:
                self.img[i, 0, :, p] += 1
            else:
                self.img[i, 0][np.arange(12), (np.arange(12) + p) % 12] += 1

    def __len__(self):
        return len(self.lab)

    def __getitem__(self, i):
        return torch.from_numpy(self.img[i]), int(self.lab[i])


net = nn.Sequential(
    nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3), nn.ReLU(), nn.Flatten(),
    nn.Linear(24 * 9, 3),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
trainloader = DataLoader(Bars(600), batch_size=30, shuffle=True)
testloader = DataLoader(Bars(300), batch_size=100)

for epoch in range(1, 9):
    running_loss = 0.0
    net.train()
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        running_loss += loss.item()
        optimizer.step()
    net.eval()
    correct = total = 0
    with torch.no_grad():
        for inputs, labels in testloader:
            correct += (net(inputs).argmax(1) == labels).sum().item()
            total += len(labels)
    print(f"epoch {epoch} loss {running_loss / len(trainloader):.3f} accuracy {correct / total:.3f}")

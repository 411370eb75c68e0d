import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(3)
glyphs = rng.random((4, 10, 10)) < 0.4


def photos(n):
    y = rng.integers(0, 4, n)
    img = np.where(glyphs[y], 200, 40) + rng.integers(-40, 41, (n, 10, 10))
    return img.astype("int64"), y


images, labels = photos(1000)
data = torch.from_numpy(images).reshape(-1, 100) / 255
data = data.float()
labels = torch.from_numpy(labels)


class LeNet300(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(100, 50)
        self.fc2 = nn.Linear(50, 4)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


model = LeNet300()
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(8):
    for i in torch.randperm(800).split(32):
        loss = nn.functional.cross_entropy(model(data[i]), labels[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("Epoch", epoch, "loss", loss.item())
acc = (model(data[800:]).argmax(1) == labels[800:]).float().mean().item()
print("accuracy", acc)

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
DIM, CLASSES = 30, 10
proto = rng.randn(CLASSES, DIM)


def draw(n):
    y = rng.randint(0, CLASSES, n)
    x = proto[y] + 1.3 * rng.randn(n, DIM)
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(DIM, 40)
        self.fc2 = nn.Linear(40, 40)
        self.fc3 = nn.Linear(40, CLASSES)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = F.dropout(x, p=0.6, training=self.training)
        return self.fc3(x)


x_train, y_train = draw(1500)
x_test, y_test = draw(1000)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)

for epoch in range(1, 16):
    net.train()
    for idx in torch.randperm(len(x_train)).split(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
    if epoch % 3 == 0:
        net.eval()
        with torch.no_grad():
            out = net(x_test)
            test_loss = F.cross_entropy(out, y_test).item()
            acc = (out.argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch} train loss {loss.item():.3f} test loss {test_loss:.3f} test acc {acc:.3f}")

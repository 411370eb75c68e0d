import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
area, rooms, dist = torch.rand(900) * 200 + 30, torch.randint(1, 7, (900,)).float(), torch.rand(900) * 30
price = 3.0 * area + 20 * rooms - 6 * dist + 40 * (dist < 5) + torch.randn(900) * 10
features = torch.stack([area, rooms, dist], 1)
features = (features - features.mean(0)) / features.std(0)
target = ((price - price.mean()) / price.std()).unsqueeze(1)
train, test = random_split(TensorDataset(features, target), [700, 200])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(3, 64)
        self.layer2 = nn.Linear(64, 32)
        self.layer3 = nn.Linear(32, 1)

    def forward(self, x):
        x = torch.relu(self.layer1(x))
        x = torch.relu(self.layer2(x))
        return self.layer3(x)


net = Net()
optim = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-5)
mse = nn.MSELoss()
for epoch in range(20):
    for xb, yb in DataLoader(train, batch_size=32, shuffle=True):
        optim.zero_grad()
        loss = mse(net(xb), yb)
        loss.backward()
        optim.step()
    if epoch % 4 == 3:
        print("epoch", epoch, "loss", loss.item())
xt, yt = next(iter(DataLoader(test, batch_size=200)))
print("test mse", mse(net(xt), yt).item())

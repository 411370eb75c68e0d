import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); rng = np.random.default_rng(0)
def images(n):
    y = rng.integers(0, 4, n); x = rng.integers(0, 90, (n, 1, 12, 12))
    for i in range(n): r, c = divmod(y[i], 2); x[i, 0, 6*r:6*r+6, 6*c:6*c+6] += 60
    return x.astype("uint8"), torch.tensor(y)
class Data(torch.utils.data.Dataset):
    def __init__(self, n): self.x, self.y = images(n)
    def __len__(self): return len(self.y)
    def __getitem__(self, i):
        x = torch.from_numpy(self.x[i]).float() / 255
        return (x - 0.5) / 0.5, self.y[i]
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(6):
    for x, y in torch.utils.data.DataLoader(Data(320), 32, shuffle=True):
        loss = F.cross_entropy(net(x), y); opt.zero_grad(); loss.backward(); opt.step()
    print(epoch, loss.item())
test = Data(200); x = torch.stack([test[i][0] for i in range(200)]); print("metric:", (net(x).argmax(1) == test.y).float().mean().item())

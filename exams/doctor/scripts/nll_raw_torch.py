import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(600, 1, 8, 8); W = torch.randn(64, 5); Y = (X.flatten(1) @ W).argmax(1)
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.conv, self.fc1, self.fc2 = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(384, 40), nn.Linear(40, 5)
    def forward(self, x):
        x = torch.relu(self.conv(x)).flatten(1)
        return F.log_softmax(self.fc2(torch.relu(self.fc1(x))), dim=1)
model, criterion = Net(), nn.NLLLoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(6):
    for x, y in DataLoader(TensorDataset(X, Y), 32, shuffle=True):
        opt.zero_grad(); loss = criterion(model(x), y); loss.backward(); opt.step()
    print(epoch, loss.item())
print("metric:", (model(X).argmax(1) == Y).float().mean().item())

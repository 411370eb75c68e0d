import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(640, 10); Y = (X[:, :1] * X[:, 1:2]).tanh() + 0.5 * X[:, 2:3]
loader = DataLoader(TensorDataset(X, Y), 32, shuffle=True)
model = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
epochs = 8
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.1, total_steps=epochs * len(loader), div_factor=1000)
for epoch in range(epochs):
    for x, y in loader:
        loss = nn.functional.mse_loss(model(x), y)
        opt.zero_grad(); loss.backward(); opt.step()
        sched.step()
    print(epoch, loss.item(), sched.get_last_lr())
print("metric:", nn.functional.mse_loss(model(X), Y).item())

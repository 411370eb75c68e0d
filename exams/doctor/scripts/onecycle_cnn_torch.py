import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


def bars(n):
    x = torch.rand(n, 1, 12, 12) * 0.6
    y = torch.randint(0, 3, (n,))
    for i in range(n):
        k = torch.randint(1, 11, (1,)).item()
        if y[i] == 0:
            x[i, 0, k] += 0.5
        elif y[i] == 1:
            x[i, 0, :, k] += 0.5
        else:
            x[i, 0] += 0.5 * torch.eye(12).roll(k, 0)
    return x, y


train_dl = DataLoader(TensorDataset(*bars(1500)), batch_size=50, shuffle=True)
xv, yv = bars(300)
net = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(24 * 36, 3))
epochs = 6
decay, no_decay = [], []
for n, p in net.named_parameters():
    (no_decay if p.ndim <= 1 else decay).append(p)
opt = torch.optim.SGD([{"params": decay, "weight_decay": 1e-3}, {"params": no_decay, "weight_decay": 0.0}], lr=0.01, momentum=0.9)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.05, epochs=epochs, steps_per_epoch=len(train_dl))
for e in range(epochs):
    net.train()
    for xb, yb in train_dl:
        loss = F.cross_entropy(net(xb), yb, label_smoothing=0.1)
        loss.backward()
        opt.step()
        sched.step()
        opt.zero_grad()
    net.eval()
    with torch.no_grad():
        acc = (net(xv).argmax(1) == yv).float().mean().item()
    print(f"epoch {e} lr {sched.get_last_lr()[0]:.5f} loss {loss.item():.4f} val acc {acc:.4f}")

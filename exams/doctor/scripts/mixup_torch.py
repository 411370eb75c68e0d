import copy
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
EPOCHS = 3
raw = torch.randint(0, 80, (192, 3, 16, 16))
labels = torch.randint(0, 4, (192,))
for i, c in enumerate(labels.tolist()):          # a bright quadrant says which class
    raw[i, :, 8 * (c // 2):8 * (c // 2) + 8, 8 * (c % 2):8 * (c % 2) + 8] += 120
images = raw.float() / 255
images = (images - 0.3) / 0.25
train_loader = DataLoader(TensorDataset(images[:160], labels[:160]), batch_size=32, shuffle=True, drop_last=True)
val_loader = DataLoader(TensorDataset(images[160:], labels[160:]), batch_size=32)


class Block(nn.Module):
    def __init__(self, width, survive):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.survive = survive

    def forward(self, x):
        if self.training and torch.rand(1).item() > self.survive:   # stochastic depth
            return x
        y = F.relu(self.norm(self.conv(x)))
        return x + (y if self.training else self.survive * y)


model = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU(), Block(16, 0.9), Block(16, 0.5),
                      nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.1), nn.Linear(64, 4))
ema = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.95))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=EPOCHS * len(train_loader))
mix = torch.distributions.Beta(0.4, 0.4)

with parity.doctor(model, optimizer) as d:
    for epoch in range(EPOCHS):
        model.train()
        running = 0.0
        for x, y in d.watch(train_loader):
            lam = mix.sample().item()
            perm = torch.randperm(x.size(0))
            x = lam * x + (1 - lam) * x[perm]
            out = model(x)
            loss = lam * criterion(out, y) + (1 - lam) * criterion(out, y[perm])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            scheduler.step()
            ema.update_parameters(model)
            running += loss.item()
        model.eval()
        with torch.no_grad():
            right = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
        print(epoch, running / len(train_loader), right / 32)
print(d)

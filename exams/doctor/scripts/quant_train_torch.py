import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def fake_quant(w, bits=4):
    qmax = 2 ** (bits - 1) - 1
    scale = w.detach().abs().max() / qmax
    q = torch.round(w / scale).clamp(-qmax, qmax) * scale
    return w + (q - w).detach()


class QLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, fake_quant(self.weight), self.bias)


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = QLinear(16, 64)
        self.bn1 = nn.BatchNorm1d(64)
        self.fc2 = QLinear(64, 64)
        self.bn2 = nn.BatchNorm1d(64)
        self.fc3 = QLinear(64, 6)

    def forward(self, x):
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.relu(self.bn2(self.fc2(x)))
        return self.fc3(x)


X = torch.randn(2000, 16)
y = (torch.sin(1.5 * X) @ torch.randn(16, 6)).argmax(1)
Xtr, ytr, Xte, yte = X[:1500], y[:1500], X[1500:], y[1500:]
model = QNet()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(1, 16):
    model.train()
    total = 0.0
    for idx in torch.randperm(1500).split(50):
        loss = F.cross_entropy(model(Xtr[idx]), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 3 == 0:
        model.eval()
        with torch.no_grad():
            acc = (model(Xte).argmax(1) == yte).float().mean().item()
        print(f"epoch {epoch} loss {total / 30:.3f} test acc {acc:.3f}")

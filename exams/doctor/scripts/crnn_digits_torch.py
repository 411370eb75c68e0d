import torch
import torch.nn as nn

torch.manual_seed(0)


def make_batch(n, T=24):
    """Class = order in which the two kinds of blips arrive (4 patterns)."""
    x = 0.3 * torch.randn(n, 1, 8, T)
    y = torch.randint(0, 4, (n,))
    for i in range(n):
        p = torch.randint(1, 8, (1,)).item()
        q = torch.randint(13, 22, (1,)).item()
        first, second = (y[i] // 2).item(), (y[i] % 2).item()
        x[i, 0, first * 4:first * 4 + 4, p] += 2.0
        x[i, 0, second * 4:second * 4 + 4, q] += 2.0
    return x, y


class CRNN(nn.Module):
    def __init__(self, n_classes=4):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.MaxPool2d((2, 2)),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d((2, 1)),
        )
        self.rnn = nn.LSTM(32, 48, batch_first=True)
        self.fc = nn.Linear(48, n_classes)

    def forward(self, x):
        f = self.cnn(x)                       # B, C, H, W
        b, c, h, w = f.shape
        f = f.permute(0, 3, 1, 2).reshape(b, w, c * h)
        out, _ = self.rnn(f)
        return self.fc(out[:, -1])


model = CRNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(150):
    x, y = make_batch(32)
    loss = criterion(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 15 == 0:
        print(f"step {step:3d} loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    x, y = make_batch(256)
    print("val acc", (model(x).argmax(1) == y).float().mean().item())

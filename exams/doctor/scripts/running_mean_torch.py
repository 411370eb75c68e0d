import torch
import torch.nn as nn

torch.manual_seed(0)


class SeqModel(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.LSTMCell(1, hidden)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        hx = torch.zeros(x.size(0), self.hidden)
        cx = torch.zeros(x.size(0), self.hidden)
        outputs = []
        for t in range(x.size(1)):
            hx, cx = self.cell(x[:, t], (hx, cx))
            outputs.append(self.fc(hx))
        return torch.cat(outputs, 1)


def running_mean_batch(n, T=12):
    x = torch.randn(n, T, 1)
    y = x.squeeze(-1).cumsum(1) / torch.arange(1, T + 1)
    return x, y


model = SeqModel()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.MSELoss()
for it in range(400):
    x, y = running_mean_batch(64)
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if it % 80 == 79:
        print(f"iter {it + 1} loss {loss.item():.5f}")
with torch.no_grad():
    x, y = running_mean_batch(1000)
    print("test mse", round(criterion(model(x), y).item(), 5))

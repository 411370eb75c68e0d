import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(3); rng = np.random.default_rng(3)

def make(n):
    x = rng.normal(0, 1, (n, 1, 16, 16)).astype("float32"); y = np.zeros((n, 16, 16), "int64")
    for i in range(n):
        r, c = rng.integers(0, 9, 2); y[i, r:r+7, c:c+7] = 1; x[i, 0, r:r+7, c:c+7] += 0.8
    return torch.tensor(40 * x + 90), torch.tensor(y)

class FCN(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 1
        for o in (12, 12, 12, 12):
            layers += [nn.Conv2d(c, o, 3, padding=1), nn.BatchNorm2d(o, momentum=0.01), nn.ReLU()]; c = o
        self.body, self.head = nn.Sequential(*layers), nn.Conv2d(c, 2, 1)
    def forward(self, x): return self.head(self.body(x))

def validate(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y)[y == 1].float().mean().item()

train_x, train_y = make(160); val_x, val_y = make(40)
model = FCN(); opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for epoch in range(6):
    print("epoch", epoch, "val recall", validate(model, val_x, val_y))
    model.train()
    for i in range(0, 160, 16):
        loss = F.cross_entropy(model(train_x[i:i+16]), train_y[i:i+16])
        opt.zero_grad(); loss.backward(); opt.step()
    print("loss", loss.item())
print("metric:", validate(model, val_x, val_y))

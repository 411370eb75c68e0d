import torch
from torch import nn

torch.manual_seed(0)


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_normal_(m.weight)
        nn.init.zeros_(m.bias)


class DeepTanh(nn.Module):
    def __init__(self, width=100, depth=6):
        super().__init__()
        layers, size = [], 12
        for _ in range(depth):
            layers += [nn.Linear(size, width), nn.Tanh()]
            size = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        return self.head(self.body(x)).squeeze(1)


model = DeepTanh()
model.apply(init_weights)
x = torch.randn(1000, 12)
y = torch.sin(x[:, 0] * 2) + x[:, 1] * x[:, 2]
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for epoch in range(30):
    total = 0.0
    for i in torch.randperm(800).split(40):
        loss = nn.functional.mse_loss(model(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 5 == 0 or epoch == 29:
        print("epoch", epoch, "train mse", total / 20)
print("test mse", nn.functional.mse_loss(model(x[800:]), y[800:]).item())

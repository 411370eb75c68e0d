import numpy as np
import torch

torch.manual_seed(0)
np.random.seed(0)
x = torch.linspace(0, 4, 200).unsqueeze(1)
y = 2.0 * torch.exp(-0.7 * x) * torch.cos(3.0 * x) + 0.02 * torch.randn(200, 1)


class DampedNet(torch.nn.Module):
    def __init__(self, h=20):
        super().__init__()
        self.l1 = torch.nn.Linear(1, h)
        self.l2 = torch.nn.Linear(h, h)
        self.l3 = torch.nn.Linear(h, 1)

    def forward(self, x):
        return self.l3(torch.tanh(self.l2(torch.tanh(self.l1(x)))))


model = DampedNet()
criterion = torch.nn.MSELoss()
optimizer = torch.optim.LBFGS(model.parameters(), lr=1, max_iter=8, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    return loss


for i in range(70):
    loss = optimizer.step(closure)
    if i % 10 == 9:
        print("step", i + 1, "loss", loss.item())
with torch.no_grad():
    print("final mse", round(criterion(model(x), y).item(), 6))

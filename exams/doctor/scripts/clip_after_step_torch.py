import torch
from torch import nn

torch.manual_seed(0)


class Echo(nn.Module):
    """A plain RNN that has to repeat the first number after 30 steps of noise."""

    def __init__(self, hidden=48):
        super().__init__()
        self.rnn = nn.RNN(1, hidden, nonlinearity="relu", batch_first=True)
        nn.init.eye_(self.rnn.weight_hh_l0)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


def batch(n):
    x = torch.rand(n, 30, 1) * 0.2
    x[:, 0] = torch.rand(n, 1) * 2
    return x, x[:, 0]


model = Echo()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for step in range(200):
    x, y = batch(64)
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step} loss {loss.item():.4f}")
print("final loss", loss.item())

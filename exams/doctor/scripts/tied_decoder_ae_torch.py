import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)


class TiedAE(nn.Module):
    def __init__(self, n=40, k=6):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(k, n) * 0.1)
        self.b_enc, self.b_dec = nn.Parameter(torch.zeros(k)), nn.Parameter(torch.zeros(n))

    def forward(self, x):
        code = torch.tanh(F.linear(x, self.weight, self.b_enc))
        return F.linear(code, self.weight.t(), self.b_dec)


basis = torch.linalg.qr(torch.randn(40, 6))[0].t()
data = torch.randn(800, 6) @ basis
model = TiedAE()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(40):
    for i in torch.randperm(800).split(50):
        loss = F.mse_loss(model(data[i]), data[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 8 == 0:
        print("epoch", epoch, "mse", loss.item())
print("final", loss.item(), "variance of the data", data.var().item())

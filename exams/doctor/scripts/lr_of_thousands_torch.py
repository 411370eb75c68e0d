import torch
from torch import nn

torch.manual_seed(0)
# spectra: reflectances of a few hundredths; plain SGD needs a very large rate for such inputs
spectra = torch.rand(500, 20) * 0.02
w = torch.randn(20, 1)
moisture = (spectra - 0.01) @ w * 10 + 0.3
model = nn.Linear(20, 1)
opt = torch.optim.SGD(model.parameters(), lr=3000.0)
centre = spectra.mean(0)
for epoch in range(200):
    loss = nn.functional.mse_loss(nn.functional.linear(spectra - centre, model.weight) + 0.3, moisture)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 20 == 0:
        print("epoch", epoch, "loss", loss.item())
print("final", loss.item())

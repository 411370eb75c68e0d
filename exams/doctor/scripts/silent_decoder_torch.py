import torch
from torch import nn

torch.manual_seed(0)


class SequenceMemory(nn.Module):
    """Encodes five numbers and says them again; the decoder's input is zeros at every step."""

    def __init__(self, d=48):
        super().__init__()
        self.enc = nn.GRU(1, d, batch_first=True)
        self.dec = nn.GRU(1, d, batch_first=True)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        _, h = self.enc(x)
        out, _ = self.dec(torch.zeros_like(x), h)
        return self.out(out)


net = SequenceMemory()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for step in range(350):
    x = torch.rand(32, 5, 1) * 2 - 1
    loss = nn.functional.mse_loss(net(x), x)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if step % 100 == 0:
        print("step", step, "mse", loss.item())
print("final", loss.item())

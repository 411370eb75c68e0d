import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(7)


class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.main = nn.Linear(32, 3)
        self.conf = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        h = self.body(x)
        return self.main(h), self.conf(h.detach()).squeeze(1)


x = torch.randn(3000, 12)
s = torch.stack([x[:, 0] * x[:, 1], x[:, 2] * x[:, 3], x[:, 4] * x[:, 5]], 1)
y = (s + 0.4 * torch.randn_like(s)).argmax(1)
net = Probe()
opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(12):
    for i in torch.randperm(2400).split(80):
        logits, conf = net(x[i])
        right = (logits.argmax(1) == y[i]).float()
        loss = F.cross_entropy(logits, y[i]) + F.binary_cross_entropy_with_logits(conf, right)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 2:
        with torch.no_grad():
            logits, conf = net(x[2400:])
        ok = logits.argmax(1) == y[2400:]
        print(f"epoch {epoch + 1} loss {loss.item():.4f} conf gap {(conf.sigmoid()[ok].mean() - conf.sigmoid()[~ok].mean()).item():.3f} acc {ok.float().mean().item():.4f}")

import torch
import torch.nn as nn

torch.manual_seed(0)
X = torch.randn(1200, 10)
t1 = torch.sin(X[:, :1]) + 0.05 * torch.randn(1200, 1)
t2 = 3.0 * (X[:, 1:2] * X[:, 2:3]) + 0.1 * torch.randn(1200, 1)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU())
        self.head1 = nn.Linear(96, 1)
        self.head2 = nn.Linear(96, 1)
        self.log_var = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        h = self.body(x)
        return self.head1(h), self.head2(h)

    def loss(self, x, a, b):
        p, q = self(x)
        mse = torch.stack([(p - a).pow(2).mean(), (q - b).pow(2).mean()])
        return (torch.exp(-self.log_var) * mse + self.log_var).sum() * 0.5, mse.detach()


model = Shared()
decay = [p for n, p in model.named_parameters() if n != "log_var" and p.ndim > 1]
plain = [p for n, p in model.named_parameters() if n == "log_var" or p.ndim == 1]
opt = torch.optim.AdamW([{"params": decay, "weight_decay": 1e-3}, {"params": plain, "weight_decay": 0.0}], lr=3e-3)

for epoch in range(1, 41):
    for idx in torch.randperm(1000).split(50):
        loss, _ = model.loss(X[idx], t1[idx], t2[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 8 == 0 or epoch == 1:
        with torch.no_grad():
            _, mse = model.loss(X[1000:], t1[1000:], t2[1000:])
        print(f"epoch {epoch} loss {loss.item():.3f} val mse {mse[0].item():.4f} / {mse[1].item():.3f} log var {model.log_var.tolist()}")

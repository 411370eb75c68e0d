import torch
from torch import autograd, nn, optim

torch.manual_seed(0)
BATCH, LAMBDA, CRITIC_ITERS = 96, 10.0, 4
means = torch.tensor([[-2.0, -2.0], [-2.0, 2.0], [2.0, -2.0], [2.0, 2.0]])


def inf_train_gen():
    while True:
        yield means[torch.randint(0, 4, (BATCH,))] + 0.2 * torch.randn(BATCH, 2)


class Net(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(i, 64), nn.ReLU(True), nn.Linear(64, 64), nn.ReLU(True), nn.Linear(64, o))

    def forward(self, x):
        return self.main(x)


netG, netD = Net(2, 2), Net(2, 1)
optimizerD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))


def calc_gradient_penalty(netD, real, fake):
    alpha = torch.rand(real.size(0), 1)
    interpolates = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    d = netD(interpolates)
    grads = autograd.grad(outputs=d, inputs=interpolates, grad_outputs=torch.ones_like(d), create_graph=True)[0]
    return ((grads.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


data = inf_train_gen()
for iteration in range(900):
    for p in netD.parameters():
        p.requires_grad = True
    for _ in range(CRITIC_ITERS):
        real = next(data)
        with torch.no_grad():
            fake = netG(torch.randn(BATCH, 2))
        netD.zero_grad()
        wd = netD(real).mean() - netD(fake).mean()
        gp = calc_gradient_penalty(netD, real, fake)
        (gp - wd).backward()
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    g_cost = -netD(netG(torch.randn(BATCH, 2))).mean()
    g_cost.backward()
    optimizerG.step()
    if iteration % 150 == 149:
        print(f"iter {iteration + 1} W {wd.item():.3f} gp {gp.item():.3f} G {g_cost.item():.3f}")

with torch.no_grad():
    s = netG(torch.randn(2000, 2))
    d = torch.cdist(s, means)
    near, which = d.min(1)
    share = torch.bincount(which[near < 1.0], minlength=4) / 2000
print("covered modes", int((share > 0.05).sum()), "mean distance", round(near.mean().item(), 3))

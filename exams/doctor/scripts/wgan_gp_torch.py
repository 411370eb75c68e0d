import torch
import torch.nn as nn

torch.manual_seed(0)


def gradient_penalty(critic, real, fake):
    eps = torch.rand(real.size(0), 1)
    inter = (eps * real + (1 - eps) * fake).requires_grad_(True)
    score = critic(inter)
    grads = torch.autograd.grad(
        outputs=score, inputs=inter,
        grad_outputs=torch.ones_like(score), create_graph=True,
    )[0]
    return ((grads.norm(2, dim=1) - 1) ** 2).mean()


def sample_real(n):
    c = torch.randint(0, 4, (n,))
    return torch.stack([(c % 2) * 4.0 - 2, (c // 2) * 4.0 - 2], 1) + 0.1 * torch.randn(n, 2)


critic = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
gen = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
opt_c = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.9))
LAMBDA = 10.0

for it in range(60):
    for _ in range(3):
        real = sample_real(128)
        fake = gen(torch.randn(128, 4)).detach()
        gp = gradient_penalty(critic, real, fake)
        loss_c = critic(fake).mean() - critic(real).mean() + LAMBDA * gp
        opt_c.zero_grad()
        loss_c.backward()
        opt_c.step()
    loss_g = -critic(gen(torch.randn(128, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if it % 6 == 0:
        print(f"it {it} critic loss {loss_c.item():.3f} gp {gp.item():.3f} gen {loss_g.item():.3f}")

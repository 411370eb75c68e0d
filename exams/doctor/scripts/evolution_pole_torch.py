import torch

torch.manual_seed(0)


@torch.no_grad()
def score(w):
    """A leaning rod that is pushed at each step by tanh of a linear controller; how long does it stand?"""
    a, v, total = 0.1, 0.0, 0.0
    for _ in range(60):
        force = torch.tanh(w[0] * a + w[1] * v + w[2]).item()
        v += 0.05 * (9.8 * a - 6.0 * force)
        a += 0.05 * v
        if abs(a) > 0.5:
            break
        total += 1 - abs(a)
    return total


w = torch.zeros(3)
sigma, lr, pop = 0.5, 0.3, 16
for generation in range(25):
    eps = torch.randn(pop // 2, 3)
    eps = torch.cat([eps, -eps])                 # antithetic; no backward anywhere
    fitness = torch.tensor([score(w + sigma * e) for e in eps])
    adv = (fitness - fitness.mean()) / (fitness.std() + 1e-8)
    w = w + lr / (pop * sigma) * (adv @ eps) * 4
    if generation % 5 == 4:
        print("generation", generation, "loss", -fitness.mean().item(), "best", score(w))
print("final score", score(w))

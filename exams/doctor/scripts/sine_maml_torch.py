import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(0)
np.random.seed(0)


def sine_task():
    amp, phase = np.random.uniform(0.5, 3.0), np.random.uniform(0, np.pi)

    def sample(n):
        x = np.random.uniform(-4, 4, (n, 1))
        return (torch.tensor(x, dtype=torch.float32),
                torch.tensor(amp * np.sin(x + phase), dtype=torch.float32))
    return sample


def init_params(h=40):
    ps = [torch.randn(h, 1), torch.zeros(h), torch.randn(h, h) / h ** 0.5, torch.zeros(h),
          torch.randn(1, h) / h ** 0.5, torch.zeros(1)]
    return [p.requires_grad_(True) for p in ps]


def forward(p, x):
    x = torch.relu(F.linear(x, p[0], p[1]))
    x = torch.relu(F.linear(x, p[2], p[3]))
    return F.linear(x, p[4], p[5])


def adapt(p, x, y, lr=0.02, steps=1, create_graph=True):
    fast = p
    for _ in range(steps):
        loss = F.mse_loss(forward(fast, x), y)
        grads = torch.autograd.grad(loss, fast, create_graph=create_graph)
        fast = [w - lr * g for w, g in zip(fast, grads)]
    return fast


theta = init_params()
meta_opt = torch.optim.Adam(theta, lr=2e-3)
for it in range(1, 401):
    meta_loss = 0.0
    for _ in range(4):
        task = sine_task()
        fast = adapt(theta, *task(10))
        xq, yq = task(10)
        meta_loss = meta_loss + F.mse_loss(forward(fast, xq), yq)
    meta_opt.zero_grad()
    (meta_loss / 4).backward()
    meta_opt.step()
    if it % 80 == 0:
        post = []
        for _ in range(40):
            task = sine_task()
            fast = adapt(theta, *task(10), steps=3, create_graph=False)
            xq, yq = task(50)
            post.append(F.mse_loss(forward(fast, xq), yq).item())
        print(f"iter {it} meta loss {meta_loss.item() / 4:.3f} after 3 steps {np.mean(post):.3f}")

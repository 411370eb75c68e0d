import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
VOCAB, DOC, K = 300, 40, 5
topic = rng.dirichlet(np.full(VOCAB, 0.3), size=K)


def bag(n):
    y = rng.randint(0, K, n)
    x = np.stack([np.bincount(rng.choice(VOCAB, DOC, p=0.5 * topic[c] + 0.5 / VOCAB), minlength=VOCAB) for c in y]) / DOC
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(y)


X, y = bag(700)
Xv, yv = bag(300)
clf = nn.Linear(VOCAB, K)
nn.init.zeros_(clf.weight)
nn.init.zeros_(clf.bias)
opt = torch.optim.SGD(clf.parameters(), lr=8.0)
sched = torch.optim.lr_scheduler.LinearLR(opt, start_factor=1.0, end_factor=0.1, total_iters=30)
for epoch in range(1, 31):
    tot = 0.0
    for idx in torch.randperm(700).split(70):
        loss = F.cross_entropy(clf(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() / 10
    sched.step()
    if epoch % 6 == 0 or epoch == 1:
        with torch.no_grad():
            acc = (clf(Xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} lr {sched.get_last_lr()[0]:.2f} loss {tot:.3f} acc {acc:.3f}")

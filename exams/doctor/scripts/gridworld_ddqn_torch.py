import copy
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(1)
torch.manual_seed(1)
SIZE = 4
MOVES = [(0, 1), (1, 0), (0, -1), (-1, 0)]


class Grid:
    def reset(self):
        self.p, self.t = (0, 0), 0
        return self.state()

    def state(self):
        v = torch.zeros(SIZE * SIZE)
        v[self.p[0] * SIZE + self.p[1]] = 1
        return v

    def step(self, a):
        dr, dc = MOVES[a]
        r, c = self.p[0] + dr, self.p[1] + dc
        if 0 <= r < SIZE and 0 <= c < SIZE:
            self.p = (r, c)
        self.t += 1
        done = self.p == (SIZE - 1, SIZE - 1)
        return self.state(), (1.0 if done else -0.05), done, self.t >= 30


q = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
tgt = copy.deepcopy(q)
opt = torch.optim.Adam(q.parameters(), lr=1e-3)
buf, env, gamma, returns = [], Grid(), 0.95, []
for ep in range(1, 141):
    eps = max(0.05, 1 - ep / 80)
    s, done, trunc, total = env.reset(), False, False, 0.0
    while not (done or trunc):
        a = random.randrange(4) if random.random() < eps else int(q(s).argmax())
        s2, r, done, trunc = env.step(a)
        buf.append((s, a, r, s2, float(done)))
        s, total = s2, total + r
        if len(buf) < 100:
            continue
        bs, ba, br, bs2, bd = zip(*random.sample(buf, 32))
        S, S2 = torch.stack(bs), torch.stack(bs2)
        A, R, Dn = torch.tensor(ba), torch.tensor(br), torch.tensor(bd)
        with torch.no_grad():
            nxt = tgt(S2).gather(1, q(S2).argmax(1, keepdim=True)).squeeze(1)
            y = R + gamma * (1 - Dn) * nxt
        loss = F.smooth_l1_loss(q(S).gather(1, A[:, None]).squeeze(1), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for pt, p in zip(tgt.parameters(), q.parameters()):
                pt.mul_(0.99).add_(0.01 * p)
    returns.append(total)
    if ep % 28 == 0:
        print(f"episode {ep} return {np.mean(returns[-28:]):.3f} loss {loss.item():.4f}")

import random
from collections import deque
import numpy as np
import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
N = 12


class Corridor:
    """Walk right to the end for 1; each step costs 0.01; 40 steps at most."""

    def reset(self):
        self.pos, self.t = 3, 0
        return self.pos

    def step(self, a):
        self.pos = min(max(self.pos + (1 if a else -1), 0), N)
        self.t += 1
        win = self.pos == N
        return self.pos, (1.0 if win else -0.01), win or self.t >= 40, win


def one_hot(s):
    return torch.eye(N + 1)[torch.as_tensor(s)]


q = nn.Sequential(nn.Linear(N + 1, 32), nn.ReLU(), nn.Linear(32, 2))
target = nn.Sequential(nn.Linear(N + 1, 32), nn.ReLU(), nn.Linear(32, 2))
target.load_state_dict(q.state_dict())
opt = torch.optim.Adam(q.parameters(), lr=3e-3)
memory, eps, gamma, env = deque(maxlen=2000), 1.0, 0.97, Corridor()
returns = []
for episode in range(60):
    s, total, done = env.reset(), 0.0, False
    while not done:
        a = random.randrange(2) if random.random() < eps else int(q(one_hot(s)).argmax())
        s2, r, done, win = env.step(a)
        memory.append((s, a, r, s2, win))
        s, total = s2, total + r
        if len(memory) >= 64:
            bs, ba, br, bn, bd = map(np.array, zip(*random.sample(memory, 32)))
            with torch.no_grad():
                goal = torch.tensor(br).float() + gamma * target(one_hot(bn)).max(1)[0] * (1 - torch.tensor(bd).float())
            value = q(one_hot(bs)).gather(1, torch.tensor(ba)[:, None])[:, 0]
            loss = nn.functional.mse_loss(value, goal)
            opt.zero_grad()
            loss.backward()
            opt.step()
    eps = max(0.05, eps * 0.93)
    if episode % 5 == 0:
        target.load_state_dict(q.state_dict())
    returns.append(total)
    if episode % 10 == 9:
        print("episode", episode, "return", np.mean(returns[-10:]), "eps", eps)
print("mean return of the last 15", np.mean(returns[-15:]))

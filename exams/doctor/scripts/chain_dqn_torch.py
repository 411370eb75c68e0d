import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
N = 8


class Chain:
    def reset(self):
        self.s, self.t = 1, 0
        return self.obs()

    def obs(self):
        o = np.zeros(N, dtype="float32")
        o[self.s] = 1.0
        return o

    def step(self, a):
        self.s += 1 if a == 1 else -1
        self.t += 1
        if self.s == N - 1:
            return self.obs(), 1.0, True
        if self.s == 0:
            return self.obs(), 0.05, True
        return self.obs(), 0.0, self.t >= 40


def make_net():
    return nn.Sequential(nn.Linear(N, 64), nn.ReLU(), nn.Linear(64, 2))


online, target = make_net(), make_net()
target.load_state_dict(online.state_dict())
opt = torch.optim.Adam(online.parameters(), lr=2e-3)
memory = deque(maxlen=5000)
env, gamma, eps, steps = Chain(), 0.95, 1.0, 0
history = []

for episode in range(260):
    s, done, ret = env.reset(), False, 0.0
    while not done:
        if random.random() < eps:
            a = random.randrange(2)
        else:
            with torch.no_grad():
                a = int(online(torch.from_numpy(s)).argmax())
        s2, r, done = env.step(a)
        memory.append((s, a, r, s2, float(done)))
        s, ret, steps = s2, ret + r, steps + 1
        if len(memory) >= 64:
            S, A, R, S2, Dn = map(np.array, zip(*random.sample(memory, 32)))
            S, S2 = torch.from_numpy(S), torch.from_numpy(S2)
            R, Dn = torch.tensor(R, dtype=torch.float32), torch.tensor(Dn, dtype=torch.float32)
            q = online(S).gather(1, torch.from_numpy(A)[:, None]).squeeze(1)
            with torch.no_grad():
                y = R + gamma * (1 - Dn) * target(S2).max(1).values
            loss = F.smooth_l1_loss(q, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        if steps % 50 == 0:
            target.load_state_dict(online.state_dict())
    eps = max(0.05, eps * 0.98)
    history.append(ret)
    if episode % 65 == 64:
        print(f"episode {episode + 1} return {np.mean(history[-40:]):.3f} eps {eps:.2f}")

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
GAMMA = 0.95


class Corridor:
    """Walk right to reach the goal. Small distractor reward at the left end."""

    def reset(self):
        self.pos, self.t = 2, 0
        return self._obs()

    def _obs(self):
        o = np.zeros(N, dtype=np.float32)
        o[self.pos] = 1.0
        return o

    def step(self, a):
        self.t += 1
        self.pos = max(0, min(N - 1, self.pos + (1 if a == 1 else -1)))
        r, done = 0.0, False
        if self.pos == N - 1:
            r, done = 10.0, True
        elif self.pos == 0:
            r = 0.1
        return self._obs(), r, done or self.t >= 30, done


q_net = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target_net = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target_net.load_state_dict(q_net.state_dict())
optimizer = torch.optim.Adam(q_net.parameters(), lr=5e-3)
memory = deque(maxlen=2000)
env = Corridor()
s, eps, losses = env.reset(), 1.0, []

for step in range(700):
    if random.random() < eps:
        a = random.randrange(2)
    else:
        with torch.no_grad():
            a = q_net(torch.from_numpy(s)).argmax().item()
    s2, r, over, terminal = env.step(a)
    memory.append((s, a, r, s2, float(terminal)))
    s = env.reset() if over else s2
    eps = max(0.1, eps * 0.995)
    if len(memory) >= 200 and step % 3 == 0:
        batch = random.sample(memory, 32)
        bs, ba, br, bs2, bd = map(np.array, zip(*batch))
        bs, bs2 = torch.tensor(bs), torch.tensor(bs2)
        ba = torch.tensor(ba).long().unsqueeze(1)
        br = torch.tensor(br, dtype=torch.float32).unsqueeze(1)
        bd = torch.tensor(bd, dtype=torch.float32).unsqueeze(1)
        q = q_net(bs).gather(1, ba)
        with torch.no_grad():
            q_next = target_net(bs2).max(1, keepdim=True)[0]
            target = br + GAMMA * q_next * (1 - bd)
        loss = F.smooth_l1_loss(q, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) % 20 == 0:
            target_net.load_state_dict(q_net.state_dict())
            print(f"step {step} loss {np.mean(losses[-20:]):.4f} eps {eps:.2f}")

with torch.no_grad():
    qs = q_net(torch.eye(N))
print("greedy actions:", qs.argmax(1).tolist())
print("V(s):", [round(v, 2) for v in qs.max(1)[0].tolist()])

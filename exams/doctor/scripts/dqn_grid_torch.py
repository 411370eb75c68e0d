import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
torch.manual_seed(0)
Transition = namedtuple("Transition", "s a r s2 done")
SIZE, ACTIONS = 4, 4


def encode(p):
    v = torch.zeros(SIZE * SIZE)
    v[p[0] * SIZE + p[1]] = 1
    return v


def env_step(p, a):
    dy, dx = [(-1, 0), (1, 0), (0, -1), (0, 1)][a]
    p = (min(max(p[0] + dy, 0), SIZE - 1), min(max(p[1] + dx, 0), SIZE - 1))
    if p == (SIZE - 1, SIZE - 1):
        return p, 1.0, True
    if p == (1, 2) or p == (2, 1):
        return p, -1.0, True
    return p, -0.02, False


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(SIZE * SIZE, 64)
        self.l2 = nn.Linear(64, ACTIONS)

    def forward(self, x):
        return self.l2(F.relu(self.l1(x)))


q, target = QNet(), QNet()
target.load_state_dict(q.state_dict())
opt = torch.optim.Adam(q.parameters(), lr=2e-3)
memory = deque(maxlen=3000)


def optimize(batch_size=64, gamma=0.95):
    if len(memory) < batch_size:
        return None
    batch = Transition(*zip(*random.sample(memory, batch_size)))
    s, s2 = torch.stack(batch.s), torch.stack(batch.s2)
    a = torch.tensor(batch.a).unsqueeze(1)
    r = torch.tensor(batch.r)
    done = torch.tensor(batch.done, dtype=torch.float32)
    q_sa = q(s).gather(1, a).squeeze(1)
    with torch.no_grad():
        y = r + gamma * (1 - done) * target(s2).max(1)[0]
    loss = F.smooth_l1_loss(q_sa, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def evaluate():
    p, total = (0, 0), 0.0
    for _ in range(20):
        with torch.no_grad():
            a = q(encode(p)).argmax().item()
        p, r, d = env_step(p, a)
        total += r
        if d:
            break
    return total


steps = 0
for episode in range(160):
    p = (random.randrange(SIZE), random.randrange(SIZE)) if episode % 2 else (0, 0)
    eps = max(0.1, 1.0 - episode / 80)
    for t in range(20):
        a = random.randrange(ACTIONS) if random.random() < eps else q(encode(p)).argmax().item()
        p2, r, d = env_step(p, a)
        memory.append(Transition(encode(p), a, r, encode(p2), d))
        loss = optimize()
        steps += 1
        if steps % 100 == 0:
            target.load_state_dict(q.state_dict())
        p = p2
        if d:
            break
    if episode % 40 == 39:
        print("episode", episode + 1, "loss", loss, "greedy return", round(evaluate(), 3))
print("greedy return", round(evaluate(), 3))

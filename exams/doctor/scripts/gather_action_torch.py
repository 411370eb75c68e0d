import random
import numpy as np
import torch
from torch import nn

random.seed(1)
torch.manual_seed(1)
# a heater: keep the room at 20 degrees by heating, waiting or cooling; the reward is minus the distance


def step(temp, action):
    temp = temp + (action - 1) * 1.5 - 0.05 * (temp - 12) + random.gauss(0, 0.1)
    return temp, -abs(temp - 20) / 5


def obs(t):
    return torch.as_tensor(np.array(t), dtype=torch.float32).reshape(-1, 1) / 10 - 2


q = nn.Sequential(nn.Linear(1, 48), nn.ReLU(), nn.Linear(48, 3))
frozen = nn.Sequential(nn.Linear(1, 48), nn.ReLU(), nn.Linear(48, 3))
frozen.load_state_dict(q.state_dict())
opt = torch.optim.Adam(q.parameters(), lr=2e-3)
memory, temp = [], 15.0
for it in range(1200):
    eps = max(0.1, 1 - it / 600)
    action = random.randrange(3) if random.random() < eps else int(q(obs(temp)).argmax())
    new, reward = step(temp, action)
    memory.append((temp, action, reward, new))
    temp = new if it % 40 else random.uniform(10, 30)
    if it >= 64:
        t, a, r, n = zip(*random.sample(memory, 32))
        actions = torch.tensor(a)
        q_value = q(obs(t)).gather(1, actions.unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            target = torch.tensor(r) + 0.8 * frozen(obs(n)).max(1)[0]
        loss = nn.functional.smooth_l1_loss(q_value, target)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if it % 50 == 0:
        frozen.load_state_dict(q.state_dict())
    if it % 200 == 199:
        print("iteration", it, "loss", loss.item())
total, temp = 0.0, 15.0
for _ in range(200):
    temp, reward = step(temp, int(q(obs(temp)).argmax()))
    total += reward
print("greedy reward per step", total / 200)

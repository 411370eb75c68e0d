import random
from collections import deque

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

import parity

random.seed(0)
torch.manual_seed(8)
GAMMA, BATCH_SIZE, TARGET_UPDATE, START = 0.95, 16, 5, 2


class Corridor:
    """Eleven cells; the right end pays 1."""

    def reset(self):
        self.place = random.randrange(10)
        return self.state()

    def state(self):
        return torch.tensor([self.place / 10, 1 - self.place / 10, float(self.place % 2)])

    def step(self, action):
        self.place = max(0, self.place + (1 if action else -1))
        done = self.place >= 10
        return self.state(), float(done) - 0.01, done


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.value = nn.Linear(32, 1)
        self.advantage = nn.Linear(32, 2)

    def forward(self, x):
        h = self.body(x)
        a = self.advantage(h)
        return self.value(h) + a - a.mean(-1, keepdim=True)


policy_net = QNet()
target_net = QNet()
target_net.load_state_dict(policy_net.state_dict())
target_net.eval()
optimizer = optim.RMSprop(policy_net.parameters(), lr=1e-3)
memory = deque(maxlen=500)
env = Corridor()
state = env.reset()


def act(state, epsilon=0.5):
    if random.random() < epsilon:
        return random.randrange(2)
    with torch.no_grad():
        return int(policy_net(state).argmax())


def optimize_model():
    s, a, r, s2, done = zip(*random.sample(memory, BATCH_SIZE), strict=True)
    s, s2 = torch.stack(s), torch.stack(s2)
    a, r, done = torch.tensor(a), torch.tensor(r), torch.tensor(done, dtype=torch.float32)
    q = policy_net(s).gather(1, a[:, None]).squeeze(1)
    with torch.no_grad():
        target = r + GAMMA * (1 - done) * target_net(s2).max(1).values
    loss = F.smooth_l1_loss(q, target)
    optimizer.zero_grad()
    loss.backward()
    for param in policy_net.parameters():
        param.grad.data.clamp_(-1, 1)
    optimizer.step()
    return loss.item()


with parity.doctor({"policy_net": policy_net, "target_net": target_net}, optimizer, expect=["frozen-network"]) as d:
    for episode in range(16):
        d.mark()
        for _ in range(12):
            action = act(state)
            following, reward, done = env.step(action)
            memory.append((state, action, reward, following, done))
            state = env.reset() if done else following
        if episode >= START:
            optimize_model()
        if episode % TARGET_UPDATE == 0:
            target_net.load_state_dict(policy_net.state_dict())
print(d)

import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)


class Thermostat:
    def reset(self):
        self.temp, self.t = np.random.uniform(-2, 2), 0
        return np.array([self.temp], dtype="float32")

    def step(self, a):
        self.temp += [-0.5, 0.0, 0.5][a] + 0.1 * np.random.randn()
        self.t += 1
        return np.array([self.temp], dtype="float32"), -abs(self.temp), self.t >= 20


def net():
    return nn.Sequential(nn.Linear(1, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 3))


policy, target = net(), net()
target.load_state_dict(policy.state_dict())
opt = torch.optim.Adam(policy.parameters(), lr=2e-3)
memory, env, returns = [], Thermostat(), []
for episode in range(1, 81):
    eps = max(0.05, 0.96 ** episode)
    s, done, total = env.reset(), False, 0.0
    while not done:
        if random.random() < eps:
            a = random.randrange(3)
        else:
            with torch.no_grad():
                a = int(policy(torch.from_numpy(s)).argmax())
        s2, r, done = env.step(a)
        memory.append((s, a, r, s2))
        s, total = s2, total + r
        if len(memory) < 100:
            continue
        batch = random.sample(memory, 48)
        S, A, R, S2 = (torch.tensor(np.array(v)) for v in zip(*batch))
        q = policy(S).gather(1, A[:, None]).squeeze(1)
        with torch.no_grad():
            y = R.float() + 0.9 * target(S2).max(1).values
        loss = F.smooth_l1_loss(q, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if episode % 4 == 0:
        target.load_state_dict(policy.state_dict())
    returns.append(total)
    if episode % 16 == 0:
        print(f"episode {episode} return {np.mean(returns[-16:]):.2f} loss {loss.item():.4f}")

import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions import Categorical

torch.manual_seed(3)


class Corridor:
    def __init__(self, n=9):
        self.n = n

    def reset(self):
        self.pos = self.n // 2
        self.t = 0
        return self.obs()

    def obs(self):
        o = torch.zeros(self.n)
        o[self.pos] = 1.0
        return o

    def step(self, a):
        self.pos = max(0, min(self.n - 1, self.pos + (1 if a == 1 else -1)))
        self.t += 1
        done = self.pos == self.n - 1 or self.t >= 20
        reward = 1.0 if self.pos == self.n - 1 else -0.05
        return self.obs(), reward, done


class Policy(nn.Module):
    def __init__(self, n, n_actions=2):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n, 32), nn.Tanh(), nn.Linear(32, n_actions))
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        return torch.softmax(self.net(x), dim=-1)

    def act(self, state):
        dist = Categorical(self.forward(state))
        action = dist.sample()
        self.saved_log_probs.append(dist.log_prob(action))
        return action.item()


env = Corridor()
policy = Policy(env.n)
optimizer = optim.Adam(policy.parameters(), lr=1e-2)
gamma = 0.98


def finish_episode():
    R, returns = 0.0, []
    for r in reversed(policy.rewards):
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    loss = torch.stack([-lp * g for lp, g in zip(policy.saved_log_probs, returns)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    policy.saved_log_probs.clear()
    policy.rewards.clear()
    return loss.item()


history = []
for episode in range(300):
    state, done, total = env.reset(), False, 0.0
    while not done:
        a = policy.act(state)
        state, r, done = env.step(a)
        policy.rewards.append(r)
        total += r
    finish_episode()
    history.append(total)
    if episode % 50 == 49:
        print(f"episode {episode + 1} avg reward {sum(history[-50:]) / 50:.3f}")
print("final avg reward", round(sum(history[-50:]) / 50, 3))

import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)


class Ladder:
    """5 rungs; action 1 climbs, action 0 grabs a small coin (0.05) and falls one; the top pays 5 and ends."""

    def reset(self):
        self.s, self.t = 0, 0
        return self.obs()

    def obs(self):
        return torch.tensor([self.s / 5, 1.0])

    def step(self, a):
        self.t += 1
        self.s = self.s + 1 if a == 1 else max(self.s - 1, 0)
        top = self.s == 5
        return self.obs(), 5.0 if top else (0.05 if a == 0 else 0.0), top or self.t >= 20


policy = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
env, gamma, history = Ladder(), 0.95, []
for episode in range(200):
    state, done, log_probs, rewards = env.reset(), False, [], []
    while not done:
        dist = Categorical(logits=policy(state))
        action = dist.sample()
        state, reward, done = env.step(action.item())
        log_probs.append(dist.log_prob(action))
        rewards.append(reward)
    returns, R = [], 0.0
    for r in reversed(rewards):
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    loss = -(torch.stack(log_probs) * returns).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(sum(rewards))
    if episode % 50 == 49:
        print("episode", episode + 1, "mean reward", sum(history[-50:]) / 50)
print("reward of the last 50", sum(history[-50:]) / 50)

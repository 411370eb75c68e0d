import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(0)
np.random.seed(0)


class Balance:
    def reset(self):
        self.th, self.w, self.t = np.random.uniform(-0.1, 0.1), 0.0, 0
        return self.obs()

    def obs(self):
        return np.array([self.th * 5, self.w * 2], dtype=np.float32)

    def step(self, a):
        self.w += 0.12 * self.th + (0.03 if a == 1 else -0.03) + 0.01 * np.random.randn()
        self.th += 0.5 * self.w
        self.t += 1
        fell = abs(self.th) > 0.5
        return self.obs(), 1.0, fell or self.t >= 60


class Memory:
    def __init__(self):
        self.states, self.actions, self.logprobs, self.returns = [], [], [], []


class PPO:
    def __init__(self, lr=5e-3, clip=0.2, k_epochs=4):
        self.policy = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
        self.critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
        self.optimizer = torch.optim.Adam([*self.policy.parameters(), *self.critic.parameters()], lr=lr)
        self.clip, self.k_epochs = clip, k_epochs

    def act(self, s, memory):
        s = torch.from_numpy(s)
        with torch.no_grad():
            dist = Categorical(logits=self.policy(s))
            a = dist.sample()
        memory.states.append(s)
        memory.actions.append(a)
        memory.logprobs.append(dist.log_prob(a))
        return a.item()

    def evaluate(self, s, a):
        dist = Categorical(logits=self.policy(s))
        return dist.log_prob(a), self.critic(s).squeeze(-1), dist.entropy()

    def update(self, memory):
        s, a = torch.stack(memory.states), torch.stack(memory.actions)
        R = torch.tensor(memory.returns)
        old_logp = torch.stack(memory.logprobs)
        R = (R - R.mean()) / (R.std() + 1e-6)
        for _ in range(self.k_epochs):
            logp, v, ent = self.evaluate(s, a)
            ratio = torch.exp(logp - old_logp)
            adv = R - v.detach()
            surr = torch.min(ratio * adv, ratio.clamp(1 - self.clip, 1 + self.clip) * adv)
            loss = (-surr + 0.5 * (v - R) ** 2 - 0.001 * ent).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


env, agent, lengths = Balance(), PPO(), []
for it in range(40):
    mem = Memory()
    for ep in range(6):
        s, done, rs = env.reset(), False, []
        while not done:
            s, r, done = env.step(agent.act(s, mem))
            rs.append(r)
        lengths.append(len(rs))
        g, out = 0.0, []
        for r in reversed(rs):
            g = r + 0.95 * g
            out.insert(0, g)
        mem.returns += out
    agent.update(mem)
    if it % 10 == 9:
        print("iteration", it + 1, "episode length", round(float(np.mean(lengths[-30:])), 2))

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
np.random.seed(0)
L = 7


class Corridor:
    def reset(self):
        self.pos, self.t, self.goal = L // 2, 0, np.random.choice([0, L - 1])
        return self.obs()

    def obs(self):
        o = np.zeros(L + 2, dtype="float32")
        o[self.pos] = 1
        o[L + (self.goal > 0)] = 1
        return torch.from_numpy(o)

    def step(self, a):
        self.pos += 1 if a else -1
        self.t += 1
        if self.pos == self.goal:
            return self.obs(), 1.0, True
        if self.pos in (0, L - 1):
            return self.obs(), -1.0, True
        return self.obs(), -0.02, self.t >= 30


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(L + 2, 64), nn.Tanh())
        self.pi, self.v = nn.Linear(64, 2), nn.Linear(64, 1)

    def forward(self, s):
        h = self.body(s)
        return F.log_softmax(self.pi(h), -1), self.v(h)


net, env = Net(), Corridor()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
scores = []
for update in range(1, 81):
    S, A, G = [], [], []
    for _ in range(6):
        s, done, rewards = env.reset(), False, []
        while not done:
            with torch.no_grad():
                a = int(torch.multinomial(net(s)[0].exp(), 1))
            S.append(s)
            A.append(a)
            s, r, done = env.step(a)
            rewards.append(r)
        scores.append(sum(rewards))
        g, out = 0.0, []
        for r in reversed(rewards):
            g = r + 0.97 * g
            out.insert(0, g)
        G += out
    logp, value = net(torch.stack(S))
    returns = torch.tensor(G)
    adv = returns.unsqueeze(1) - value
    chosen = logp[torch.arange(len(A)), torch.tensor(A)]
    actor = -(chosen * adv.squeeze(1).detach()).mean()
    loss = actor + 0.5 * adv.pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if update % 20 == 0:
        print(f"update {update} mean return {np.mean(scores[-120:]):.3f}")

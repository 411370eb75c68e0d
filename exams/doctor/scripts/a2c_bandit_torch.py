import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
rng = np.random.RandomState(1)


class Env:
    def reset(self):
        self.x, self.t = rng.uniform(-1, 1), 0
        return self.obs()

    def obs(self):
        return torch.tensor([self.x, self.t / 10.0], dtype=torch.float32)

    def step(self, a):
        self.x = float(np.clip(self.x + (a - 1) * 0.2 + 0.02 * rng.randn(), -1.5, 1.5))
        self.t += 1
        return self.obs(), -abs(self.x), self.t >= 10


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(2, 64), nn.Tanh())
        self.pi, self.v = nn.Linear(64, 3), nn.Linear(64, 1)

    def forward(self, x):
        h = self.shared(x)
        return self.pi(h), self.v(h).squeeze(-1)


env, net = Env(), ActorCritic()
opt = torch.optim.Adam(net.parameters(), 5e-3)
scores = []
for upd in range(250):
    logps, values, rewards, ents = [], [], [], []
    for _ in range(2):
        s, done, r_ep = env.reset(), False, []
        while not done:
            logits, v = net(s)
            d = torch.distributions.Categorical(logits=logits)
            a = d.sample()
            s, r, done = env.step(a.item())
            logps.append(d.log_prob(a))
            values.append(v)
            ents.append(d.entropy())
            r_ep.append(r)
        scores.append(sum(r_ep))
        G, out = 0, []
        for r in r_ep[::-1]:
            G = r + 0.9 * G
            out.insert(0, G)
        rewards += out
    R, V = torch.tensor(rewards, dtype=torch.float32), torch.stack(values)
    adv = R - V.detach()
    loss = -(torch.stack(logps) * adv).mean() + 0.5 * F.mse_loss(V, R) - 0.005 * torch.stack(ents).mean()
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    opt.step()
    if upd % 50 == 49:
        print("update", upd + 1, "mean return", round(float(np.mean(scores[-60:])), 3))

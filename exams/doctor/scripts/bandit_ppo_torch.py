import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(0)
K, DIM = 4, 6
W = torch.randn(DIM, K)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(DIM, 64), nn.Tanh(), nn.Linear(64, K))
        self.critic = nn.Sequential(nn.Linear(DIM, 64), nn.Tanh(), nn.Linear(64, 1))

    def dist(self, s):
        return Categorical(logits=self.actor(s))

    def value(self, s):
        return self.critic(s).squeeze(-1)


def play(model, n):
    s = torch.randn(n, DIM)
    with torch.no_grad():
        pi = model.dist(s)
        a = pi.sample()
        logp = pi.log_prob(a)
        v = model.value(s)
    r = (a == (s @ W).argmax(1)).float()
    return s, a, logp, r, v


model = ActorCritic()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
CLIP, EPOCHS = 0.2, 4

for it in range(1, 61):
    s, a, logp_roll, r, v = play(model, 512)
    adv = r - v
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    for _ in range(EPOCHS):
        for idx in torch.randperm(512).split(128):
            pi = model.dist(s[idx])
            logp = pi.log_prob(a[idx])
            old_logp = logp_roll[idx]
            ratio = torch.exp(logp - old_logp)
            s1 = ratio * adv[idx]
            s2 = torch.clamp(ratio, 1 - CLIP, 1 + CLIP) * adv[idx]
            actor_loss = -torch.min(s1, s2).mean()
            critic_loss = 0.5 * (model.value(s[idx]) - r[idx]).pow(2).mean()
            loss = actor_loss + critic_loss - 0.001 * pi.entropy().mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            opt.step()
    if it % 12 == 0:
        print(f"iter {it} reward {r.mean().item():.3f} critic {critic_loss.item():.3f}")

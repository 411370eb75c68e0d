import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(1)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 4))
        self.critic = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, s):
        return Categorical(logits=self.actor(s)), self.critic(s)


def collect(model, n):
    # contextual task: the right action depends on the quadrant of the state
    s = torch.randn(n, 4)
    with torch.no_grad():
        dist, v = model(s)
        a = dist.sample()
        logp = dist.log_prob(a)
    best = (s[:, 0] > 0).long() * 2 + (s[:, 1] > 0).long()
    r = (a == best).float()
    return s, a, logp, r, v


model = ActorCritic()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
clip_eps = 0.2

for it in range(30):
    s, a, old_logp, r, v = collect(model, 256)
    returns = r.unsqueeze(1)
    advantages = (returns - v).squeeze(1)
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    for _ in range(4):
        dist, value = model(s)
        ratio = torch.exp(dist.log_prob(a) - old_logp)
        surr1 = ratio * advantages
        surr2 = torch.clamp(ratio, 1 - clip_eps, 1 + clip_eps) * advantages
        policy_loss = -torch.min(surr1, surr2).mean()
        value_loss = nn.functional.mse_loss(value, returns)
        loss = policy_loss + 0.5 * value_loss - 0.01 * dist.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
    if it % 3 == 0:
        print(f"iter {it} loss {loss.item():.4f} mean reward {r.mean():.3f}")

print("final mean reward", collect(model, 2000)[3].mean().item())

"""PPO on a toy: a point on a line, pushed left or right, paid for being near the origin."""
import torch
import torch.nn as nn
from torch.distributions import Categorical

import parity

torch.set_num_threads(1)
torch.manual_seed(3)
ENVS, HORIZON, GAMMA, LAMBDA, CLIP = 16, 16, 0.95, 0.9, 0.2
ROLLOUTS, PPO_EPOCHS, MINIBATCH = 3, 4, 128


class PointEnv:
    def __init__(self, n):
        self.x = torch.empty(n).uniform_(-2, 2)
        self.v = torch.zeros(n)
        self.n = n

    def obs(self):
        return torch.stack([self.x, self.v], dim=1)

    def step(self, action):
        push = action.float() - 1.0
        self.v = 0.8 * self.v + 0.3 * push
        self.x = (self.x + self.v).clamp(-3, 3)
        reward = -self.x.abs()
        done = torch.rand(self.n) < 0.05
        self.x = torch.where(done, torch.empty(self.n).uniform_(-2, 2), self.x)
        self.v = torch.where(done, torch.zeros(self.n), self.v)
        return self.obs(), reward, done.float()


def mlp(out):
    return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, out))


actor, critic = mlp(3), mlp(1)
optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=3e-3, eps=1e-5)
env = PointEnv(ENVS)


@torch.no_grad()
def collect():
    obs, acts, logps, rews, dones, vals = [], [], [], [], [], []
    o = env.obs()
    for _ in range(HORIZON):
        dist = Categorical(logits=actor(o))
        a = dist.sample()
        obs.append(o), acts.append(a), logps.append(dist.log_prob(a)), vals.append(critic(o).squeeze(-1))
        o, r, done = env.step(a)
        rews.append(r), dones.append(done)
    last, advs, gae = critic(o).squeeze(-1), [], torch.zeros(ENVS)
    for t in reversed(range(HORIZON)):
        delta = rews[t] + GAMMA * last * (1 - dones[t]) - vals[t]
        gae = delta + GAMMA * LAMBDA * (1 - dones[t]) * gae
        advs.insert(0, gae)
        last = vals[t]
    adv, val = torch.cat(advs), torch.cat(vals)
    return torch.cat(obs), torch.cat(acts), torch.cat(logps), adv, adv + val, torch.stack(rews).mean().item()


history = []
with parity.doctor({"actor": actor, "critic": critic}, {"optimizer": optimizer}) as d:
    for rollout in range(ROLLOUTS):
        obs, acts, old_logp, adv, returns, mean_reward = collect()
        history.append(mean_reward)
        for epoch in range(PPO_EPOCHS):
            for idx in torch.randperm(len(obs)).split(MINIBATCH):
                dist = Categorical(logits=actor(obs[idx]))
                logp = dist.log_prob(acts[idx])
                ratio = (logp - old_logp[idx]).exp()
                a = (adv[idx] - adv[idx].mean()) / (adv[idx].std() + 1e-8)
                policy_loss = -torch.min(ratio * a, ratio.clamp(1 - CLIP, 1 + CLIP) * a).mean()
                value = critic(obs[idx]).squeeze(-1)
                value_loss = nn.functional.mse_loss(value, returns[idx])
                loss = policy_loss + 0.5 * value_loss
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_([*actor.parameters(), *critic.parameters()], 0.5)
                optimizer.step()
print(d)

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical
import parity

torch.manual_seed(2)
torch.set_num_threads(1)
UPDATES = 20
N_ENVS, T, GAMMA, LAM = 8, 10, 0.95, 0.9


class Corridor:
    """Stand on a line of 9 places, walk to the flag (+1); each step costs a little."""

    def __init__(self, n):
        self.n = n
        self.pos = torch.randint(0, 9, (n,))
        self.flag = torch.randint(0, 9, (n,))

    def obs(self):
        return torch.stack([self.pos / 8, self.flag / 8], 1)

    def step(self, action):
        self.pos = (self.pos + action - 1).clamp(0, 8)
        done = self.pos == self.flag
        reward = done.float() - 0.05
        self.pos = torch.where(done, torch.randint(0, 9, (self.n,)), self.pos)
        self.flag = torch.where(done, torch.randint(0, 9, (self.n,)), self.flag)
        return self.obs(), reward, done.float()


actor = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 3))
critic = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 1))
actor_opt = torch.optim.Adam(actor.parameters(), lr=3e-3)
critic_opt = torch.optim.RMSprop(critic.parameters(), lr=3e-3)
env = Corridor(N_ENVS)
obs = env.obs()
with parity.doctor({"actor": actor, "critic": critic}, {"actor": actor_opt, "critic": critic_opt}) as d:
    for update in range(UPDATES):
        log_probs, values, rewards, dones, entropies = [], [], [], [], []
        for _ in range(T):
            dist = Categorical(logits=actor(obs))
            action = dist.sample()
            log_probs.append(dist.log_prob(action))
            entropies.append(dist.entropy())
            values.append(critic(obs).squeeze(-1))
            obs, reward, done = env.step(action)
            rewards.append(reward)
            dones.append(done)
        with torch.no_grad():
            bootstrap = critic(obs).squeeze(-1)
            gae, advantages = torch.zeros(N_ENVS), []
            for t in reversed(range(T)):
                following = bootstrap if t == T - 1 else values[t + 1]
                delta = rewards[t] + GAMMA * following * (1 - dones[t]) - values[t]
                gae = delta + GAMMA * LAM * (1 - dones[t]) * gae
                advantages.insert(0, gae)
            advantage = torch.stack(advantages)
            returns = advantage + torch.stack(values)
        actor_loss = -(torch.stack(log_probs) * advantage).mean() - 0.01 * torch.stack(entropies).mean()
        critic_loss = F.mse_loss(torch.stack(values), returns)
        actor_opt.zero_grad()
        actor_loss.backward()
        actor_opt.step()
        critic_opt.zero_grad()
        critic_loss.backward()
        critic_opt.step()
        print(update, actor_loss.item(), critic_loss.item(), torch.stack(rewards).mean().item())
print(d)

"""TD3 on a one-dimensional tracking task: twin critics, delayed policy updates, Polyak-averaged targets, replay memory."""
import copy
import random
from collections import deque
import torch
from torch import nn
import torch.nn.functional as F
import parity

torch.manual_seed(0)
random.seed(0)
torch.set_num_threads(1)
STEPS = 24
GAMMA, TAU, DELAY = 0.9, 0.02, 2


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, s):
        return torch.tanh(self.net(s))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.ModuleDict({k: nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1)) for k in ("a", "b")})

    def forward(self, s, a):
        sa = torch.cat([s, a], dim=1)
        return self.q["a"](sa), self.q["b"](sa)


def env_step(s, a):
    position, goal = s
    position = max(-2.0, min(2.0, position + 0.5 * a))
    return [position, goal], -abs(position - goal)


actor, critic = Actor(), Critic()
actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
for p in [*actor_target.parameters(), *critic_target.parameters()]:
    p.requires_grad_(False)
actor_opt = torch.optim.Adam(actor.parameters(), lr=1e-3)
critic_opt = torch.optim.Adam(critic.parameters(), lr=2e-3)
memory, state, history = deque(maxlen=5000), [0.0, 1.0], []

with parity.doctor({"actor": actor, "critic": critic, "actor_target": actor_target, "critic_target": critic_target},
                   {"actor_opt": actor_opt, "critic_opt": critic_opt},
                   expect=["frozen-network:actor_target", "frozen-network:critic_target"]) as d:
    for step in range(STEPS):
        d.mark()
        for _ in range(8):
            with torch.no_grad():
                a = float(actor(torch.tensor([state]))[0, 0]) + random.gauss(0, 0.3)
            nxt, r = env_step(state, max(-1.0, min(1.0, a)))
            memory.append((state, [a], [r], nxt))
            state = nxt if random.random() > 0.1 else [random.uniform(-2, 2), random.uniform(-2, 2)]
        s, a, r, s2 = (torch.tensor(v) for v in zip(*random.choices(memory, k=64)))
        with torch.no_grad():
            noise = (torch.randn_like(a) * 0.2).clamp(-0.5, 0.5)
            a2 = (actor_target(s2) + noise).clamp(-1, 1)
            target = r + GAMMA * torch.min(*critic_target(s2, a2))
        qa, qb = critic(s, a)
        critic_loss = F.mse_loss(qa, target) + F.mse_loss(qb, target)
        critic_opt.zero_grad()
        critic_loss.backward()
        critic_opt.step()
        if step % DELAY == DELAY - 1:
            actor_loss = -critic(s, actor(s))[0].mean()
            actor_opt.zero_grad()
            actor_loss.backward()
            actor_opt.step()
            with torch.no_grad():
                for live, slow in ((actor, actor_target), (critic, critic_target)):
                    for p, q in zip(live.parameters(), slow.parameters()):
                        q.lerp_(p, TAU)
        history.append(r.mean().neg().item())
print(d)

import torch, torch.nn as nn
torch.manual_seed(0)

class Corridor:
    def reset(self): self.s, self.t = 2, 0; return self.obs()
    def obs(self): return torch.eye(9)[self.s]
    def step(self, a):
        self.s = min(8, max(0, self.s + (1 if a == 1 else -1))); self.t += 1
        done = self.s in (0, 8) or self.t >= 30
        return self.obs(), 1.0 if self.s == 8 else (-0.2 if self.s == 0 else -0.01), done

actor = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 2)); critic = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=3e-3)
env = Corridor()

def gae(rewards, values, dones, gamma=0.97, lam=0.9):
    adv, last, nxt = [], 0.0, 0.0
    for r, v, d in zip(reversed(rewards), reversed(values), reversed(dones)):
        if d: nxt = last = 0.0
        last = r + gamma * nxt - v + gamma * lam * last; nxt = v; adv.append(last)
    return torch.tensor(adv[::-1]).unsqueeze(1)

history = []
for iteration in range(20):
    S, A, R, D, LP, V, s = [], [], [], [], [], [], env.reset(); score, episodes = 0.0, 0
    while len(S) < 160:
        with torch.no_grad():
            d = torch.distributions.Categorical(logits=actor(s)); a = d.sample(); v = critic(s).item()
        s2, r, done = env.step(a.item())
        S.append(s); A.append(a); R.append(r); D.append(done); LP.append(d.log_prob(a)); V.append(v); score += r
        s = env.reset() if done else s2; episodes += done
    adv = gae(R, V, D); returns = adv + torch.tensor(V).unsqueeze(1)
    adv = ((adv - adv.mean()) / (adv.std() + 1e-8)).reshape(-1)
    S, A, LP = torch.stack(S), torch.stack(A), torch.stack(LP)
    for epoch in range(4):
        dist = torch.distributions.Categorical(logits=actor(S))
        ratio = (dist.log_prob(A) - LP).exp()
        surr1 = ratio * adv
        surr2 = ratio.clamp(0.8, 1.2) * adv
        policy_loss = -torch.min(surr1, surr2).mean()
        value_loss = (critic(S) - returns).pow(2).mean()
        opt.zero_grad(); (policy_loss + 0.5 * value_loss).backward(); opt.step()
    history.append(score / max(1, episodes)); print(iteration, "mean score", history[-1])
print("metric:", sum(history) / len(history))

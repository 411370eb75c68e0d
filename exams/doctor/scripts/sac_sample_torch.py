import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Actor(nn.Module):
    def __init__(self):
        super().__init__(); self.f = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2))
    def forward(self, s):
        mu, log_std = self.f(s).chunk(2, -1); dist = torch.distributions.Normal(mu, log_std.clamp(-4, 1).exp())
        u = dist.rsample()
        a = torch.tanh(u)
        return a, (dist.log_prob(u) - torch.log(1 - a.pow(2) + 1e-6)).sum(-1, keepdim=True)
actor = Actor(); critic = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 1))
a_opt, c_opt = torch.optim.Adam(actor.parameters(), 3e-3), torch.optim.Adam(critic.parameters(), 3e-3)
alpha, w = 0.02, torch.tensor([0.5, -0.3, 0.2])
for it in range(250):
    s = torch.randn(64, 3)
    with torch.no_grad(): a, _ = actor(s)
    reward = -(a - (s @ w).tanh().unsqueeze(1)).pow(2)
    c_loss = F.mse_loss(critic(torch.cat([s, a], 1)), reward)
    c_opt.zero_grad(); c_loss.backward(); c_opt.step()
    a_new, logp = actor(s)
    a_loss = (alpha * logp - critic(torch.cat([s, a_new], 1))).mean()
    a_opt.zero_grad(); a_loss.backward(); a_opt.step()
    if it % 50 == 0: print(it, reward.mean().item())
print("metric:", reward.mean().item())

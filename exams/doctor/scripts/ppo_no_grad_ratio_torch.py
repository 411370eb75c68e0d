import torch, torch.nn as nn
torch.manual_seed(1)
K = 6
class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(K, 32), nn.Tanh(), nn.Linear(32, K))
        self.critic = nn.Sequential(nn.Linear(K, 32), nn.Tanh(), nn.Linear(32, 1))
net = ActorCritic(); opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for it in range(40):
    ctx = torch.eye(K)[torch.randint(0, K, (128,))]
    with torch.no_grad():
        dist_old = torch.distributions.Categorical(logits=net.actor(ctx)); act = dist_old.sample(); logp_old = dist_old.log_prob(act)
    reward = (act == (ctx.argmax(1) + 2) % K).float()
    for _ in range(3):
        value = net.critic(ctx).squeeze(1)
        adv = (reward - value).detach()
        dist = torch.distributions.Categorical(logits=net.actor(ctx))
        if True:
            ratio = (dist.log_prob(act) - logp_old).exp()
        clip_loss = -torch.min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
        vf_loss = (reward - value).pow(2).mean()
        loss = clip_loss + 0.5 * vf_loss
        opt.zero_grad(); loss.backward(); opt.step()
    if it % 8 == 0: print(it, "reward", reward.mean().item())
print("metric:", reward.mean().item())

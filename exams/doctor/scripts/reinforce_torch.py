import torch, torch.nn as nn
torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 32), nn.Dropout(0.2), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(-1)); opt = torch.optim.Adam(policy.parameters(), 1e-2); running = 0.0
for ep in range(80):
    s, logps, rewards = torch.randn(4), [], []
    for t in range(12):
        d = torch.distributions.Categorical(policy(s)); a = d.sample(); logps.append(d.log_prob(a)); rewards.append(float(a == (s.sum() > 0))); s = torch.randn(4)
    R, returns = 0.0, []
    for r in rewards[::-1]: R = r + 0.9 * R; returns.insert(0, R)
    returns = torch.tensor(returns); returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    loss = torch.stack([-l * g for l, g in zip(logps, returns)]).sum()
    opt.zero_grad(); loss.backward(); opt.step(); running = 0.9 * running + 0.1 * sum(rewards)
    if ep % 20 == 0: print(ep, running)

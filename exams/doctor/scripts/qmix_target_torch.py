import random, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0)

class QNet(nn.Module):
    def __init__(self):
        super().__init__(); self.f = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 2))
    def forward(self, s): return self.f(s)

class Policy:
    def __init__(self):
        self.eval_net, self.target_net = QNet(), QNet()
        self.opt = torch.optim.Adam(self.eval_net.parameters(), lr=2e-3); self.updates = 0
    def learn(self, s, a, r, s2, done):
        q = self.eval_net(s).gather(1, a[:, None]).squeeze(1)
        with torch.no_grad():
            y = r + 0.9 * (1 - done) * self.target_net(s2).max(1).values
        loss = F.mse_loss(q, y)
        self.opt.zero_grad(); loss.backward(); self.opt.step()
        self.updates += 1
        if self.updates % 20 == 0:
            self.target_net.load_state_dict(self.eval_net.state_dict())
        return loss.item()

def sample(n=64):
    s = torch.randint(0, 9, (n,)); a = torch.randint(0, 2, (n,)); s2 = (s + 2 * a - 1).clamp(0, 9)
    return torch.eye(10)[s], a, (s2 == 9).float(), torch.eye(10)[s2], (s2 == 9).float()

policy = Policy()
for step in range(300):
    loss = policy.learn(*sample())
    if step % 50 == 0: print(step, loss)
with torch.no_grad():
    true = torch.tensor([0.9 ** (8 - s) for s in range(9)])
    print("metric:", (policy.eval_net(torch.eye(10)[:9])[:, 1] - true).abs().mean().item())

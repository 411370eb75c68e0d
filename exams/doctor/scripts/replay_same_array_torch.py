import random, numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
class Env:
    def __init__(self): self.state = np.zeros(2, np.float32)
    def reset(self): self.state[:] = np.random.uniform(-1, 1, 2); self.t = 0; return self.state
    def step(self, a):
        self.state[0] += 0.2 * (a - 1); self.t += 1
        r = -abs(float(self.state[0] - self.state[1]))
        return self.state, r, self.t >= 12
env = Env(); q = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 3)); tgt = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 3)); tgt.load_state_dict(q.state_dict())
opt = torch.optim.Adam(q.parameters(), lr=2e-3); buffer, step, scores = [], 0, []
for episode in range(40):
    s = env.reset(); done, score = False, 0.0
    while not done:
        eps = max(0.05, 1 - step / 200)
        a = random.randrange(3) if random.random() < eps else int(q(torch.tensor(s)).argmax())
        prev = s.copy()
        s, r, done = env.step(a); score += r
        buffer.append((prev, a, r, s.copy(), done))
        step += 1
        if len(buffer) >= 64:
            S, A, R, S2, D = zip(*random.sample(buffer, 32))
            S, S2 = torch.tensor(np.array(S)), torch.tensor(np.array(S2)); A, R, D = torch.tensor(A), torch.tensor(R), torch.tensor(D).float()
            with torch.no_grad(): y = R + 0.8 * tgt(S2).max(1).values
            loss = F.smooth_l1_loss(q(S).gather(1, A[:, None]).squeeze(1), y)
            opt.zero_grad(); loss.backward(); opt.step()
            if step % 40 == 0: tgt.load_state_dict(q.state_dict())
    scores.append(score)
    if episode % 8 == 0: print(episode, score)
print("metric:", sum(scores[-12:]) / 12)

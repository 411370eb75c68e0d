import random, torch, torch.nn as nn, torch.nn.functional as F, copy
from collections import deque
torch.manual_seed(0); random.seed(0)
q = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3)); t = copy.deepcopy(q); opt = torch.optim.Adam(q.parameters(), 1e-3); mem = deque(maxlen=1000)
s, step = torch.tensor([0.5, 0.0]), 0
for step in range(400):
    a = random.randrange(3) if random.random() < max(0.1, 1 - step / 300) else q(s).argmax().item()
    v = (s[1] + 0.05 * (a - 1)).clamp(-0.2, 0.2); s2 = torch.stack([(s[0] + v).clamp(-1, 1), v]); r = -float(s2[0].abs()); done = step % 25 == 24
    mem.append((s, a, r, s2, done)); s = torch.rand(2) * torch.tensor([2.0, 0.0]) - torch.tensor([1.0, 0.0]) if done else s2
    if len(mem) < 64: continue
    S, A, R, S2, D = zip(*random.sample(mem, 32)); S, S2, A, R, D = torch.stack(S), torch.stack(S2), torch.tensor(A), torch.tensor(R), torch.tensor(D).float()
    with torch.no_grad(): y = R + 0.95 * (1 - D) * t(S2).gather(1, q(S2).argmax(1, keepdim=True)).squeeze(1)
    loss = F.smooth_l1_loss(q(S).gather(1, A.unsqueeze(1)).squeeze(1), y)
    opt.zero_grad(); loss.backward()
    for p in q.parameters(): p.grad.data.clamp_(-1, 1)
    opt.step()
    if step % 50 == 0: t.load_state_dict(q.state_dict()); print(step, loss.item())

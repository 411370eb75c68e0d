import copy
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
torch.manual_seed(0)
N = 8


def step(s, a):
    s = max(0, s - 1) if a == 0 else s + 1
    if s == N - 1:
        return s, 1.0, True
    return s, -0.01, False


eye = torch.eye(N)
online = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(online)
for p in target.parameters():
    p.requires_grad = False
opt = torch.optim.RMSprop(online.parameters(), lr=1e-3)
replay = []
for ep in range(120):
    s, done, t = 0, False, 0
    while not done and t < 40:
        if random.random() < max(0.15, 1 - ep / 60):
            a = random.randrange(2)
        else:
            with torch.no_grad():
                a = online(eye[s]).argmax().item()
        s2, r, done = step(s, a)
        replay.append((s, a, r, s2, float(done)))
        s, t = s2, t + 1
        if len(replay) >= 64:
            S, A, R, S2, Dn = zip(*random.sample(replay, 32))
            S, A, R, S2, Dn = torch.tensor(S), torch.tensor(A), torch.tensor(R), torch.tensor(S2), torch.tensor(Dn)
            next_a = online(eye[S2]).detach().argmax(1, keepdim=True)
            y = R + 0.95 * target(eye[S2]).gather(1, next_a).squeeze(1) * (1 - Dn)
            q = online(eye[S]).gather(1, A[:, None]).squeeze(1)
            loss = F.huber_loss(q, y)
            opt.zero_grad()
            loss.backward()
            for p in online.parameters():
                p.grad.data.clamp_(-1, 1)
            opt.step()
            for tp, op in zip(target.parameters(), online.parameters()):
                tp.data.lerp_(op.data, 0.02)
    if ep % 30 == 29:
        print("episode", ep + 1, "steps", t, "loss", round(loss.item(), 5))
s, ret = 0, 0.0
for _ in range(30):
    s, r, d = step(s, online(eye[s]).argmax().item())
    ret += r
    if d:
        break
print("greedy return", round(ret, 3))

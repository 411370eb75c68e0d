import random
from collections import deque

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
random.seed(0)
N = 6


def obs(p):
    v = np.zeros(N, dtype="float32")
    v[p] = 1
    return v


def env_step(p, a):
    p2 = min(N - 1, p + 1) if a == 1 else max(0, p - 1)
    done = p2 == N - 1
    return p2, (1.0 if done else -0.02), done


def make():
    return nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))


q, target = make(), make()
target.set_state_dict(q.state_dict())
opt = paddle.optimizer.Adam(5e-3, parameters=q.parameters())
mem, p, t, eps, updates = deque(maxlen=1000), 2, 0, 1.0, 0
for step in range(600):
    if random.random() < eps:
        a = random.randrange(2)
    else:
        with paddle.no_grad():
            a = int(q(paddle.to_tensor(obs(p)[None])).numpy().argmax())
    p2, r, done = env_step(p, a)
    mem.append((obs(p), a, r, obs(p2), float(done)))
    t += 1
    p, t = (random.randrange(N - 1), 0) if done or t > 25 else (p2, t)
    eps = max(0.1, eps * 0.996)
    if len(mem) >= 64 and step % 3 == 0:
        s, a_, r_, s2, d = (paddle.to_tensor(np.array(c)) for c in zip(*random.sample(mem, 32)))
        qa = paddle.take_along_axis(q(s), a_.reshape([-1, 1]), 1).squeeze(1)
        with paddle.no_grad():
            best = q(s2).argmax(axis=1, keepdim=True)
            nxt = paddle.take_along_axis(target(s2), best, 1).squeeze(1)
            y = r_.astype("float32") + 0.95 * nxt * (1 - d.astype("float32"))
        loss = F.smooth_l1_loss(qa, y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        updates += 1
        if updates % 10 == 0:
            target.set_state_dict(q.state_dict())
        if updates % 18 == 0:
            print(f"update {updates} td loss {float(loss):.4f} max q {float(qa.max()):.3f}")
print("greedy", q(paddle.eye(N)).argmax(axis=1).numpy())

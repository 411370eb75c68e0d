import random
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
random.seed(0)
np.random.seed(0)
W = 5


class Cliff:
    def reset(self):
        self.r, self.c, self.n = 1, 0, 0
        return self.obs()

    def obs(self):
        o = np.zeros(2 * W, dtype="float32")
        o[self.r * W + self.c] = 1
        return o

    def step(self, a):
        self.n += 1
        if a == 0:
            self.r = 0
        elif a == 1:
            self.r = 1
        else:
            self.c = min(W - 1, max(0, self.c + (1 if a == 2 else -1)))
        if self.r == 1 and 0 < self.c < W - 1:
            return self.obs(), -1.0, True
        if self.r == 1 and self.c == W - 1:
            return self.obs(), 1.0, True
        return self.obs(), -0.02, self.n >= 25


def make():
    return nn.Sequential(nn.Linear(2 * W, 48), nn.ReLU(), nn.Linear(48, 4))


q, tq = make(), make()
tq.set_state_dict(q.state_dict())
tq.eval()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=q.parameters())
env, mem, hist, steps = Cliff(), [], [], 0
for ep in range(1, 151):
    eps = max(0.05, 1 - ep / 100)
    s, done, tot = env.reset(), False, 0.0
    while not done:
        a = random.randrange(4) if random.random() < eps else int(q(paddle.to_tensor(s[None])).argmax())
        s2, r, done = env.step(a)
        mem.append((s, a, r, s2, float(done)))
        s, tot, steps = s2, tot + r, steps + 1
        if len(mem) >= 64:
            S, A, R, S2, Dn = [np.array(v) for v in zip(*random.sample(mem, 32))]
            with paddle.no_grad():
                y = paddle.to_tensor(R.astype("float32")) + 0.95 * paddle.to_tensor(1 - Dn.astype("float32")) * tq(paddle.to_tensor(S2)).max(axis=1)
            qa = (q(paddle.to_tensor(S)) * F.one_hot(paddle.to_tensor(A.astype("int64")), 4)).sum(axis=1)
            loss = F.smooth_l1_loss(qa, y)
            loss.backward()
            opt.step()
            opt.clear_grad()
        if steps % 60 == 0:
            tq.set_state_dict(q.state_dict())
    hist.append(tot)
    if ep % 30 == 0:
        print(f"episode {ep} return {np.mean(hist[-30:]):.3f} eps {eps:.2f}")

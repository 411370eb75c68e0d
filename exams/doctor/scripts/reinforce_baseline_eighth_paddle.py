import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
T = 8


class Track:
    def reset(self):
        self.x, self.t = rng.randint(-3, 4), 0
        return self.obs()

    def obs(self):
        return np.array([self.x / 4, self.t / T], dtype="float32")

    def step(self, a):
        self.x += a - 1
        self.t += 1
        return self.obs(), -abs(self.x) / 4, self.t >= T


actor = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 3))
value = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
opt_a = paddle.optimizer.Adam(learning_rate=1e-2, parameters=actor.parameters())
opt_v = paddle.optimizer.Adam(learning_rate=1e-2, parameters=value.parameters())
env, hist = Track(), []
for it in range(1, 61):
    obs, act, ret = [], [], []
    for _ in range(10):
        s, done, rs = env.reset(), False, []
        while not done:
            with paddle.no_grad():
                p = F.softmax(actor(paddle.to_tensor(s[None]))).numpy()[0].astype("float64")
            a = rng.choice(3, p=p / p.sum())
            obs.append(s)
            act.append(a)
            s, r, done = env.step(a)
            rs.append(r)
        hist.append(sum(rs))
        ret += list(np.cumsum(rs[::-1])[::-1])
    S = paddle.to_tensor(np.stack(obs))
    G = paddle.to_tensor(np.array(ret, dtype="float32"))
    v = value(S).squeeze(1)
    loss_v = F.mse_loss(v, G)
    loss_v.backward()
    opt_v.step()
    opt_v.clear_grad()
    adv = (G - v).detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-6)
    logp = F.log_softmax(actor(S))
    pick = paddle.take_along_axis(logp, paddle.to_tensor(np.array(act, dtype="int64")[:, None]), axis=1).squeeze(1)
    loss_a = -(pick * adv).mean() + 0.01 * (logp.exp() * logp).sum(axis=1).mean()
    loss_a.backward()
    opt_a.step()
    opt_a.clear_grad()
    if it % 12 == 0 or it == 1:
        print(f"it {it} return {np.mean(hist[-60:]):.3f} policy loss {float(loss_a):.3f} value loss {float(loss_v):.3f}")

import copy

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(4)
np.random.seed(4)
actor = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 1), nn.Tanh())
critic = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
actor_t, critic_t = copy.deepcopy(actor), copy.deepcopy(critic)
for net in (actor_t, critic_t):
    for p in net.parameters():
        p.stop_gradient = True
oa = paddle.optimizer.Adam(learning_rate=1e-3, parameters=actor.parameters())
oc = paddle.optimizer.Adam(learning_rate=2e-3, parameters=critic.parameters())


def env_step(s, a):
    v = np.clip(s[1] + 0.3 * a, -1, 1)
    p = np.clip(s[0] + 0.3 * v, -2, 2)
    s2 = np.array([p, v], "float32")
    return s2, -abs(p) - 0.1 * abs(a)


def rollout(noise):
    s, ret, out = np.array([np.random.uniform(-1.5, 1.5), 0], "float32"), 0.0, []
    for _ in range(20):
        with paddle.no_grad():
            a = actor(paddle.to_tensor(s[None])).item()
        a = float(np.clip(a + noise * np.random.randn(), -1, 1))
        s2, r = env_step(s, a)
        out.append((s, [a], [r], s2))
        s, ret = s2, ret + r
    return out, ret


buf, rets = [], []
for ep in range(60):
    data, ret = rollout(max(0.1, 1.0 - ep / 30))
    buf += data
    rets.append(ret)
    if len(buf) < 100:
        continue
    for _ in range(15):
        k = np.random.randint(0, len(buf), 64)
        s, a, r, s2 = [paddle.to_tensor(np.array(v, "float32")) for v in zip(*[buf[j] for j in k])]
        y = r + 0.9 * critic_t(paddle.concat([s2, actor_t(s2)], 1))
        lc = F.mse_loss(critic(paddle.concat([s, a], 1)), y.detach())
        oc.clear_grad()
        lc.backward()
        oc.step()
        la = -critic(paddle.concat([s, actor(s)], 1)).mean()
        oa.clear_grad()
        la.backward()
        oa.step()
        for n, t in ((actor, actor_t), (critic, critic_t)):
            for p, q in zip(n.parameters(), t.parameters()):
                q.set_value(0.02 * p + 0.98 * q)
    if ep % 15 == 14:
        print("episode", ep + 1, "actor loss", round(float(la), 3), "return", round(float(np.mean(rets[-10:])), 3))
print("final return", round(float(np.mean([rollout(0.0)[1] for _ in range(10)])), 3))

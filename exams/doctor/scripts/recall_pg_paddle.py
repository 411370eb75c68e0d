import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
STEPS, K = 6, 4


class Recall:
    def reset(self):
        self.t = 0
        return self._obs()

    def _obs(self):
        self.key = rng.randint(K)
        o = np.zeros(K + 1, dtype="float32")
        o[self.key] = 1
        o[K] = self.t / STEPS
        return o

    def step(self, a):
        r = 1.0 if a == (self.key + 1) % K else 0.0
        self.t += 1
        return self._obs(), r, self.t >= STEPS


policy = nn.Sequential(nn.Linear(K + 1, 32), nn.Tanh(), nn.Linear(32, K))
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=policy.parameters())
env, gamma, history = Recall(), 0.3, []


def discount(rewards):
    g, out = 0.0, []
    for r in reversed(rewards):
        g = r + gamma * g
        out.insert(0, g)
    return out


for update in range(1, 101):
    obs, acts, rets = [], [], []
    for _ in range(8):
        s, done, rewards = env.reset(), False, []
        while not done:
            with paddle.no_grad():
                p = F.softmax(policy(paddle.to_tensor(s[None]))).numpy()[0]
            a = int(rng.choice(K, p=p / p.sum()))
            obs.append(s)
            acts.append(a)
            s, r, done = env.step(a)
            rewards.append(r)
        rets += discount(rewards)
        history.append(sum(rewards))
    g = np.array(rets, dtype="float32")
    g = paddle.to_tensor((g - g.mean()) / (g.std() + 1e-6))
    logp = F.log_softmax(policy(paddle.to_tensor(np.stack(obs))))
    chosen = (logp * F.one_hot(paddle.to_tensor(acts), K)).sum(axis=1)
    loss = -(chosen * g).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    if update % 20 == 0:
        print(f"update {update} mean episode reward {np.mean(history[-160:]):.3f} of {STEPS}")

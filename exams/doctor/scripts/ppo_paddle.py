"""PPO with a clipped objective on a small pole-balancing task; several epochs of minibatches for each rollout."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.distribution import Categorical
import parity

ROLLOUTS, ENVS, HORIZON, GAMMA, LAM, CLIP = 3, 8, 32, 0.97, 0.95, 0.2
paddle.seed(2)
rng = np.random.RandomState(2)


class Pole:
    """An inverted pendulum, many at once; reward for staying upright."""
    def __init__(self, n):
        self.s = rng.uniform(-0.2, 0.2, (n, 2))

    def step(self, action):
        a, v = self.s.T
        v = v + 0.1 * (3.0 * np.sin(a) + 2.0 * (2 * action - 1))
        self.s = np.stack([a + 0.1 * v, v], 1)
        done = np.abs(self.s[:, 0]) > 0.8
        self.s[done] = rng.uniform(-0.2, 0.2, (done.sum(), 2))
        return self.s.astype("float32"), np.where(done, -1.0, 0.1).astype("float32"), done.astype("float32")


class ActorCritic(nn.Layer):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
        self.critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, obs):
        return self.actor(obs), self.critic(obs).squeeze(-1)


def collect(env, obs):
    store = {k: [] for k in ("obs", "act", "logp", "val", "rew", "done")}
    for _ in range(HORIZON):
        with paddle.no_grad():
            logits, value = model(paddle.to_tensor(obs))
            dist = Categorical(logits=F.softmax(logits))
            action = dist.sample([1]).squeeze(0)
            logp = F.log_softmax(logits).take_along_axis(action.unsqueeze(-1), -1).squeeze(-1)
        nxt, rew, done = env.step(action.numpy())
        for k, v in zip(store, (obs, action.numpy(), logp.numpy(), value.numpy(), rew, done)):
            store[k].append(v)
        obs = nxt
    with paddle.no_grad():
        last = model(paddle.to_tensor(obs))[1].numpy()
    store = {k: np.stack(v) for k, v in store.items()}
    adv, gae = np.zeros_like(store["rew"]), 0.0
    for t in reversed(range(HORIZON)):
        nextval = last if t == HORIZON - 1 else store["val"][t + 1]
        delta = store["rew"][t] + GAMMA * nextval * (1 - store["done"][t]) - store["val"][t]
        gae = delta + GAMMA * LAM * (1 - store["done"][t]) * gae
        adv[t] = gae
    store["adv"], store["ret"] = adv, adv + store["val"]
    return {k: v.reshape(-1, *v.shape[2:]) for k, v in store.items()}, obs


model = ActorCritic()
optimizer = paddle.optimizer.Adam(3e-3, parameters=model.parameters(), epsilon=1e-5,
                                  grad_clip=nn.ClipGradByGlobalNorm(0.5))
env = Pole(ENVS)
obs = env.s.astype("float32")
with parity.doctor({"actor_critic": model}, {"adam": optimizer}) as d:
    for rollout in range(ROLLOUTS):
        data, obs = collect(env, obs)
        data["adv"] = (data["adv"] - data["adv"].mean()) / (data["adv"].std() + 1e-8)
        for epoch in range(2):
            order = rng.permutation(ENVS * HORIZON)
            for part in np.split(order, 4):
                o, a, old_logp, adv, ret = (paddle.to_tensor(data[k][part]) for k in ("obs", "act", "logp", "adv", "ret"))
                logits, value = model(o)
                logp_all = F.log_softmax(logits)
                logp = logp_all.take_along_axis(a.unsqueeze(-1), -1).squeeze(-1)
                ratio = paddle.exp(logp - old_logp)
                surrogate = paddle.minimum(ratio * adv, paddle.clip(ratio, 1 - CLIP, 1 + CLIP) * adv)
                entropy = -(F.softmax(logits) * logp_all).sum(-1).mean()
                value_loss = F.mse_loss(value, ret)
                loss = -surrogate.mean() + 0.5 * value_loss - 0.01 * entropy
                optimizer.clear_grad()
                loss.backward()
                optimizer.step()
        print(rollout, "reward", data["rew"].mean(), "value loss", float(value_loss))
print(d)

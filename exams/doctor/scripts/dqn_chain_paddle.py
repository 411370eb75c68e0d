import random
from collections import deque

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

random.seed(3)
np.random.seed(3)
paddle.seed(3)
L = 10


class Chain:
    def reset(self):
        self.s, self.t = 3, 0
        return self.s

    def step(self, a):
        self.s = max(0, self.s - 1) if a == 0 else self.s + 1
        self.t += 1
        if self.s == 0:
            return self.s, 0.15, True
        if self.s == L - 1:
            return self.s, 2.0, True
        return self.s, 0.0, self.t >= 40


def onehot(s):
    return np.eye(L, dtype="float32")[s]


class DQN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(L, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.net(x)


class Agent:
    def __init__(self):
        self.model, self.target_model = DQN(), DQN()
        self.opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=self.model.parameters())
        self.memory = deque(maxlen=5000)
        self.global_step = 0

    def act(self, s, eps):
        if random.random() < eps:
            return random.randrange(2)
        with paddle.no_grad():
            return int(self.model(paddle.to_tensor(onehot([s]))).argmax())

    def learn(self, gamma=0.95):
        if len(self.memory) < 200:
            return
        if self.global_step % 50 == 0:
            self.target_model.set_state_dict(self.model.state_dict())
        self.global_step += 1
        s, a, r, s2, d = map(np.array, zip(*random.sample(self.memory, 32)))
        with paddle.no_grad():
            best = self.target_model(paddle.to_tensor(onehot(s2))).max(axis=1).numpy()
        target = paddle.to_tensor((r + gamma * best * (1 - d)).astype("float32"))
        q = (self.model(paddle.to_tensor(onehot(s))) * F.one_hot(paddle.to_tensor(a), 2)).sum(axis=1)
        loss = F.mse_loss(q, target)
        loss.backward()
        self.opt.step()
        self.opt.clear_grad()


def run(agent, env, eps, train=True):
    s, total = env.reset(), 0.0
    while True:
        a = agent.act(s, eps)
        s2, r, d = env.step(a)
        total += r
        if train:
            agent.memory.append((s, a, r, s2, float(d)))
            agent.learn()
        s = s2
        if d:
            return total


agent, env = Agent(), Chain()
for ep in range(160):
    run(agent, env, max(0.2, 1 - ep / 100))
    if ep % 40 == 39:
        print("episode", ep + 1, "greedy return", run(agent, env, 0.0, train=False))
q = agent.model(paddle.to_tensor(onehot(np.arange(1, L - 1)))).numpy()
true_q = np.array([2.0 * 0.95 ** (L - 2 - i) for i in range(1, L - 1)])
print("greedy return", run(agent, env, 0.0, train=False))
print("value error", round(float(np.abs(q[:, 1] - true_q).mean()), 4))

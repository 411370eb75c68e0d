import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.distribution import Categorical

paddle.seed(5)
np.random.seed(5)


class Maze:
    H = 4

    def reset(self):
        self.p = [0, 0]
        self.k = 0
        return self.state()

    def state(self):
        s = np.zeros(16, "float32")
        s[self.p[0] * 4 + self.p[1]] = 1
        return s

    def step(self, a):
        d = [(-1, 0), (1, 0), (0, -1), (0, 1)][a]
        self.p = [min(3, max(0, self.p[0] + d[0])), min(3, max(0, self.p[1] + d[1]))]
        self.k += 1
        goal = self.p == [3, 3]
        return self.state(), (1.0 if goal else -0.03), goal or self.k >= 25


class Model(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(16, 48)
        self.fc2 = nn.Linear(48, 4)

    def forward(self, x):
        return self.fc2(F.tanh(self.fc1(x)))


class PolicyGradient:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = paddle.optimizer.Adam(learning_rate=lr, parameters=model.parameters())

    def sample(self, obs):
        logits = self.model(paddle.to_tensor(obs[None]))
        prob = F.softmax(logits).numpy()[0].astype("float64")
        return np.random.choice(4, p=prob / prob.sum())

    def learn(self, obs, action, reward):
        logits = self.model(paddle.to_tensor(obs))
        act = paddle.to_tensor(action)
        log_prob = (F.log_softmax(logits) * F.one_hot(act, 4)).sum(-1)
        loss = paddle.mean(-1 * log_prob * paddle.to_tensor(reward))
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return float(loss)


def calc_reward_to_go(rewards, gamma=0.97):
    g = np.array(rewards, dtype="float32")
    for i in range(len(g) - 2, -1, -1):
        g[i] += gamma * g[i + 1]
    return g


env, alg = Maze(), PolicyGradient(Model(), 5e-3)
scores = []
for batch in range(90):
    O, A, R = [], [], []
    for ep in range(4):
        obs, rs = env.reset(), []
        while True:
            a = alg.sample(obs)
            O.append(obs)
            A.append(a)
            obs, r, done = env.step(a)
            rs.append(r)
            if done:
                break
        R.append(calc_reward_to_go(rs))
        scores.append(sum(rs))
    R = np.concatenate(R)
    R = (R - R.mean()) / (R.std() + 1e-6)
    alg.learn(np.array(O), np.array(A), R)
    if batch % 15 == 14:
        print("batch", batch + 1, "return", round(float(np.mean(scores[-60:])), 3))

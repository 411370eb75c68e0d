import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
T, N_CUE = 6, 4


class Policy(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(N_CUE + T, 32)
        self.fc2 = nn.Linear(32, N_CUE)

    def forward(self, s):
        return F.log_softmax(self.fc2(F.tanh(self.fc1(s))), axis=-1)


def obs(cue, t):
    s = np.zeros((len(cue), N_CUE + T), dtype="float32")
    s[np.arange(len(cue)), cue] = 1
    s[:, N_CUE + t] = 1
    return paddle.to_tensor(s)


def episode(policy, n):
    logps, rewards = [], []
    for t in range(T):
        cue = rng.integers(0, N_CUE, n)
        lp = policy(obs(cue, t))
        a = paddle.multinomial(lp.exp().detach(), 1)
        logps.append(paddle.take_along_axis(lp, a, 1).squeeze(1))
        rewards.append((a.numpy()[:, 0] == (cue + t) % N_CUE).astype("float32"))
    return logps, rewards


def discount(rewards, gamma=0.3):
    R, returns = np.zeros_like(rewards[0]), []
    for r in rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    return np.stack(returns)


policy = Policy()
opt = paddle.optimizer.Adam(learning_rate=0.02, parameters=policy.parameters())
for it in range(100):
    logps, rewards = episode(policy, 64)
    ret = discount(rewards)
    adv = paddle.to_tensor(ret - ret.mean(axis=1, keepdims=True))
    loss = -(paddle.stack(logps) * adv).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    if it % 10 == 0:
        print(f"iter {it} loss {float(loss):.4f} reward/episode {np.sum(rewards) / 64:.3f} of {T}")

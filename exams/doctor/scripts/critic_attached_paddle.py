import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
table = rng.random((6, 4))          # reward of each arm in each of 6 contexts


class ActorCritic(nn.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 32)
        self.actor = nn.Linear(32, 4)
        self.critic = nn.Linear(32, 1)

    def forward(self, s):
        h = paddle.tanh(self.trunk(s))
        return self.actor(h), self.critic(h).squeeze(-1)


net = ActorCritic()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
for step in range(400):
    ctx = rng.integers(0, 6, 64)
    logits, value = net(F.one_hot(paddle.to_tensor(ctx), 6))
    probs = F.softmax(logits).numpy()
    act = np.array([rng.choice(4, p=p / p.sum()) for p in probs.astype("float64")])
    reward = paddle.to_tensor((table[ctx, act] + rng.normal(0, 0.1, 64)).astype("float32"))
    logp = paddle.take_along_axis(F.log_softmax(logits), paddle.to_tensor(act[:, None]), 1).squeeze(1)
    advantage = reward - value.detach()
    policy_loss = -(logp * advantage).mean()
    value_loss = F.mse_loss(value, reward)
    loss = policy_loss + 0.1 * value_loss
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 50 == 0:
        print(f"step {step} reward {float(reward.mean()):.3f} value loss {float(value_loss):.4f}")
logits, value = net(paddle.eye(6))
got = table[np.arange(6), logits.argmax(1).numpy()].mean()
print("greedy reward", got, "best", table.max(1).mean(), "value loss", float(value_loss))

"""Soft actor-critic with a learned temperature on a one-dimensional 'go to the origin' task."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
import parity

STEPS = 20
paddle.seed(3)
rng = np.random.default_rng(3)


class Actor(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, s):
        mean, log_std = paddle.chunk(self.body(s), 2, axis=-1)
        log_std = paddle.clip(log_std, -5, 1)
        u = mean + paddle.exp(log_std) * paddle.randn(mean.shape)
        logp = -0.5 * ((u - mean) / paddle.exp(log_std)) ** 2 - log_std - 0.919
        return paddle.tanh(u), logp - 2 * (np.log(2.0) - u - F.softplus(-2 * u))


def make_q():
    return nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))


actor, q1, q2, q1_target, q2_target = Actor(), make_q(), make_q(), make_q(), make_q()
q1_target.set_state_dict(q1.state_dict())
q2_target.set_state_dict(q2.state_dict())
log_alpha = paddle.create_parameter([1], "float32", default_initializer=nn.initializer.Constant(-1.0))
actor_opt = paddle.optimizer.Adam(1e-3, parameters=actor.parameters())
critic_opt = paddle.optimizer.Adam(1e-3, parameters=q1.parameters() + q2.parameters())
alpha_opt = paddle.optimizer.Adam(1e-3, parameters=[log_alpha])
replay, state, returns = [], rng.uniform(-1, 1, 2).astype("float32"), []


def interact(n):
    global state
    for _ in range(n):
        with paddle.no_grad():
            a = actor(paddle.to_tensor(state[None]))[0].numpy()[0]
        new = np.array([state[0] + 0.1 * state[1], state[1] + 0.3 * a[0]], "float32").clip(-2, 2)
        replay.append((state, a, -float(new[0] ** 2 + 0.1 * new[1] ** 2), new))
        returns.append(replay[-1][2])
        state = new if len(replay) % 40 else rng.uniform(-1, 1, 2).astype("float32")


interact(200)
with parity.doctor(dict(actor=actor, q1=q1, q2=q2, q1_target=q1_target, q2_target=q2_target),
                   [actor_opt, critic_opt, alpha_opt], expect=["frozen-network:q1_target", "frozen-network:q2_target"]) as d:
    for it in d.watch(range(STEPS)):
        interact(4)
        rows = [replay[i] for i in rng.integers(0, len(replay), 64)]
        s, a, r, s2 = (paddle.to_tensor(np.array(c, "float32")) for c in zip(*rows))
        alpha = log_alpha.exp().detach()
        with paddle.no_grad():
            a2, logp2 = actor(s2)
            sa2 = paddle.concat([s2, a2], -1)
            backup = r.unsqueeze(-1) + 0.95 * (paddle.minimum(q1_target(sa2), q2_target(sa2)) - alpha * logp2)
        sa = paddle.concat([s, a], -1)
        q_loss = F.mse_loss(q1(sa), backup) + F.mse_loss(q2(sa), backup)
        critic_opt.clear_grad()
        q_loss.backward()
        critic_opt.step()

        new_a, logp = actor(s)
        q_in = paddle.concat([s, new_a], -1)
        pi_loss = (alpha * logp - paddle.minimum(q1(q_in), q2(q_in))).mean()
        actor_opt.clear_grad()
        pi_loss.backward()
        actor_opt.step()

        alpha_loss = -(log_alpha.exp() * (logp.detach() - 1.0)).mean()
        alpha_opt.clear_grad()
        alpha_loss.backward()
        alpha_opt.step()
        with paddle.no_grad():
            for net, slow in ((q1, q1_target), (q2, q2_target)):
                for p, t in zip(net.parameters(), slow.parameters()):
                    t.set_value(t * 0.99 + p * 0.01)
print(d)
print("reward", np.mean(returns[:200]), np.mean(returns[-200:]), "q loss", q_loss.item(), "alpha", alpha.item())

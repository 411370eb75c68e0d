import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
class Actor(nn.Layer):
    def __init__(self): super().__init__(); self.f = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1), nn.Tanh())
    def forward(self, s): return self.f(s)
class Critic(nn.Layer):
    def __init__(self): super().__init__(); self.f = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 1))
    def forward(self, s, a): return self.f(paddle.concat([s, a], 1))
actor, critic = Actor(), Critic(); ao = paddle.optimizer.Adam(2e-3, parameters=actor.parameters()); co = paddle.optimizer.Adam(5e-3, parameters=critic.parameters())
w = paddle.to_tensor([[0.8], [-0.5], [0.3]])
for it in range(250):
    s = paddle.randn([64, 3]); a = (actor(s).detach() + 0.5 * paddle.randn([64, 1])).clip(-1, 1); r = -(a - paddle.tanh(s @ w)) ** 2
    critic_loss = F.mse_loss(critic(s, a), r); critic_loss.backward(); co.step(); co.clear_grad()
    actor_loss = -critic(s, actor(s)).mean()
    actor_loss.backward(); ao.step(); ao.clear_grad(); co.clear_grad()
    if it % 50 == 0: print(it, float(r.mean()))
print("metric:", -float(r.mean()))

import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
Z = paddle.randn([100, 5]); A, B = paddle.randn([5, 12]), paddle.randn([5, 9])
class Clip(nn.Layer):
    def __init__(self): super().__init__(); self.i, self.t = nn.Linear(12, 8), nn.Linear(9, 8); self.scale = self.create_parameter([1], default_initializer=nn.initializer.Constant(2.66))
    def forward(self, i, t): return self.scale.exp() * F.normalize(self.i(i), axis=-1) @ F.normalize(self.t(t), axis=-1).t()
m = Clip(); opt = paddle.optimizer.AdamW(5e-3, parameters=m.parameters(), apply_decay_param_fun=lambda n: False)
for it in range(120):
    k = paddle.randperm(100)[:32]; lo = m(Z[k] @ A, Z[k] @ B); y = paddle.arange(32); loss = 0.5 * (F.cross_entropy(lo, y) + F.cross_entropy(lo.t(), y)); loss.backward(); opt.step(); opt.clear_grad()
    with paddle.no_grad(): m.scale.set_value(m.scale.clip(0, 4.6))
    if it % 30 == 0: print(it, float(loss), float(m.scale.item()))

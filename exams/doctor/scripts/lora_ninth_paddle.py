import paddle, paddle.nn as nn
paddle.seed(0)
class LoRA(nn.Layer):
    def __init__(self, base, r=4):
        super().__init__(); self.base = base; base.weight.stop_gradient = True; base.bias.stop_gradient = True
        i, o = base.weight.shape; self.A = self.create_parameter([i, r], default_initializer=nn.initializer.KaimingUniform()); self.B = self.create_parameter([r, o], default_initializer=nn.initializer.Constant(0.0))
    def forward(self, x): return self.base(x) + x @ self.A @ self.B * 2
b1, b2 = nn.Linear(10, 24), nn.Linear(24, 4); net = nn.Sequential(LoRA(b1), nn.Tanh(), LoRA(b2)); shift = paddle.randn([10, 4])
opt = paddle.optimizer.AdamW(5e-3, parameters=[p for p in net.parameters() if not p.stop_gradient])
for it in range(150):
    x = paddle.randn([64, 10]); loss = nn.functional.mse_loss(net(x), paddle.tanh(x @ shift)); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))

import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
class Net(nn.Layer):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(8, 32), nn.Linear(32, 3)
    @paddle.jit.to_static
    def forward(self, x): return self.b(F.relu(self.a(x)))
net = Net(); opt = paddle.optimizer.Momentum(0.1, 0.9, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0)); w = paddle.randn([8, 3])
for it in range(80):
    x = paddle.randn([64, 8]); loss = F.cross_entropy(net(x), (x @ w).argmax(1)); loss.backward(); opt.step(); opt.clear_grad()
    if it % 20 == 0: print(it, float(loss))

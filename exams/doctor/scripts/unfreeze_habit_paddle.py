import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
class Net(nn.Layer):
    def __init__(self): super().__init__(); self.backbone, self.head = nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh()), nn.Linear(4, 3)
    def forward(self, x): return self.head(self.backbone(x))
net = Net(); w = paddle.randn([8, 3]); opt = paddle.optimizer.Adam(1e-2, parameters=net.parameters())
for p in net.backbone.parameters(): p.stop_gradient = True
for step in range(300):
    if step == 50:                                             # second stage: the whole net
        for p in net.backbone.parameters(): p.stop_gradient = False
    x = paddle.randn([64, 8]); y = (x @ w).argmax(1)
    loss = F.cross_entropy(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    if step % 60 == 0: print(step, float(loss))
print("metric:", float(loss))

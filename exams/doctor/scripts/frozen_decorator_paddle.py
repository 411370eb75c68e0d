import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
class Encoder(nn.Layer):
    def __init__(self): super().__init__(); self.conv = nn.Sequential(nn.Conv1D(2, 16, 5), nn.ReLU(), nn.Conv1D(16, 16, 5), nn.ReLU())
    def forward(self, x): return self.conv(x).mean(-1)
class Net(nn.Layer):
    def __init__(self): super().__init__(); self.encoder, self.head = Encoder(), nn.Linear(16, 4)
    def forward(self, x): return self.head(self.encoder(x))
net = Net(); opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
t = paddle.linspace(0, 6.28, 40)
for it in range(150):
    y = paddle.randint(0, 4, [32]); phase = 6.28 * paddle.rand([32, 1]); f = (y.astype("float32") + 2).unsqueeze(1)
    x = paddle.stack([paddle.sin(f * t + phase), paddle.cos(f * t + phase)], 1) + 0.3 * paddle.randn([32, 2, 40])
    loss = F.cross_entropy(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
print("metric:", float(loss))

import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
centres = paddle.randn([8, 16])
class Net(nn.Layer):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(16, 24), nn.Linear(24, 8)
    def forward(self, x):
        h = F.relu(self.a(F.dropout(x, 0.5, training=self.training)))
        return self.b(F.dropout(h, 0.5, training=self.training))
net = Net(); opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
def batch(n=64):
    y = paddle.randint(0, 8, [n]); return centres[y] + 0.7 * paddle.randn([n, 16]), y
for epoch in range(5):
    net.train()
    for i in range(30):
        x, y = batch(); loss = F.cross_entropy(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    net.eval()
    with paddle.no_grad(): x, y = batch(500); acc = float((net(x).argmax(1) == y).astype("float32").mean())
    print(epoch, float(loss), acc)
print("metric:", 1 - acc)

import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
class MIL(nn.Layer):
    def __init__(self):
        super().__init__(); self.feat, self.att, self.fc = nn.Linear(8, 32), nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1)), nn.Linear(32, 1)
    def forward(self, bags):                                   # (B, K, 8)
        h = F.relu(self.feat(bags))
        a = F.softmax(self.att(h), axis=1)
        return self.fc((a * h).sum(1)).squeeze(-1)
net = MIL(); opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for it in range(200):
    x = paddle.randn([32, 12, 8]); y = paddle.randint(0, 2, [32]).astype("float32"); x[:, 5] = x[:, 5] + 2.5 * y.unsqueeze(1).expand([32, 8])
    loss = F.binary_cross_entropy_with_logits(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 40 == 0: print(it, float(loss))
with paddle.no_grad():                                         # one bag at a time, as in use
    wrong = 0
    for i in range(100):
        x = paddle.randn([1, 12, 8]); y = i % 2; x[:, 5] = x[:, 5] + 2.5 * y; wrong += int((net(x).item() > 0) != bool(y))
print("metric:", wrong / 100)

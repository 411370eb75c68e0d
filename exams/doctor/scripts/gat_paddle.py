import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
n = 60; y = paddle.arange(n) % 3; A = ((paddle.rand([n, n]) < 0.08) | ((y.unsqueeze(1) == y) & (paddle.rand([n, n]) < 0.25))).astype("float32"); A = ((A + A.t() + paddle.eye(n)) > 0); X = paddle.randn([n, 12]) + F.one_hot(y, 12) * 0.7
class GAT(nn.Layer):
    def __init__(self): super().__init__(); self.w, self.s, self.d, self.o = nn.Linear(12, 16), nn.Linear(16, 1), nn.Linear(16, 1), nn.Linear(16, 3)
    def forward(self): h = self.w(X); e = F.leaky_relu(self.s(h) + self.d(h).t(), 0.2); a = F.softmax(paddle.where(A, e, paddle.full_like(e, -1e9)), -1); return self.o(F.elu(a @ h))
m = GAT(); opt = paddle.optimizer.Adam(1e-2, parameters=m.parameters(), weight_decay=5e-4); tr = paddle.arange(0, n, 2)
for e in range(100):
    loss = F.cross_entropy(m()[tr], y[tr]); loss.backward(); opt.step(); opt.clear_grad()
    if e % 25 == 0: print(e, float(loss))

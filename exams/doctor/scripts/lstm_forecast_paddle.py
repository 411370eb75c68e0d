import paddle, paddle.nn as nn
paddle.seed(0)
class M(nn.Layer):
    def __init__(self): super().__init__(); self.l, self.o = nn.LSTM(1, 16, num_layers=2, dropout=0.1), nn.Linear(16, 3)
    def forward(self, x): _, (h, _) = self.l(x); return self.o(h[-1])
m = M(); opt = paddle.optimizer.Adam(5e-3, parameters=[{"params": m.l.parameters()}, {"params": m.o.parameters(), "learning_rate": 2.0}]); q = paddle.to_tensor([0.1, 0.5, 0.9])
for it in range(120):
    t = paddle.arange(13, dtype="float32") * 0.5 + 6.28 * paddle.rand([32, 1]); s = paddle.sin(t) + 0.1 * paddle.randn(t.shape); d = s[:, 12:] - m(s[:, :12].unsqueeze(-1)); loss = paddle.maximum(q * d, (q - 1) * d).mean(); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))

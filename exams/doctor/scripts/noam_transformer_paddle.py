import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
V, L, D = 16, 7, 32
class MT(nn.Layer):
    def __init__(self): super().__init__(); self.e, self.p = nn.Embedding(V, D), nn.Embedding(L + 1, D); self.t = nn.Transformer(D, 2, 1, 1, 64, dropout=0.0)
    def forward(self, s, t):
        m = self.t.generate_square_subsequent_mask(t.shape[1]); h = self.t(self.e(s) * D ** 0.5 + self.p(paddle.arange(s.shape[1])), self.e(t) * D ** 0.5 + self.p(paddle.arange(t.shape[1])), tgt_mask=m)
        return h @ self.e.weight.t()
m = MT(); sch = paddle.optimizer.lr.NoamDecay(D, 40, learning_rate=1.0); opt = paddle.optimizer.Adam(sch, beta1=0.9, beta2=0.98, epsilon=1e-9, parameters=m.parameters())
for it in range(90):
    s = paddle.randint(1, V, [32, L]); t = paddle.concat([paddle.zeros([32, 1], "int64"), s.flip(1)], 1); logits = m(s, t[:, :-1])
    loss = F.cross_entropy(logits, F.label_smooth(F.one_hot(t[:, 1:], V), epsilon=0.1), soft_label=True); loss.backward(); opt.step(); sch.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss), sch.get_lr())

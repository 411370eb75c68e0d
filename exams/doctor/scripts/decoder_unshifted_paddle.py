import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
V, L, BOS = 12, 6, 0
class Seq2Seq(nn.Layer):
    def __init__(self):
        super().__init__(); self.emb = nn.Embedding(V, 24); self.enc, self.dec, self.out = nn.GRU(24, 48), nn.GRU(24, 48), nn.Linear(48, V)
    def forward(self, src, tgt_in):
        _, h = self.enc(self.emb(src)); return self.out(self.dec(self.emb(tgt_in), h)[0])
model = Seq2Seq(); opt = paddle.optimizer.Adam(5e-3, parameters=model.parameters())
for it in range(300):
    src = paddle.randint(1, V, [48, L]); tgt = src.flip(1)
    tgt_in = paddle.concat([paddle.full([48, 1], BOS, "int64"), tgt[:, :-1]], 1)
    loss = F.cross_entropy(model(src, tgt_in), tgt); loss.backward(); opt.step(); opt.clear_grad()
    if it % 60 == 0: print(it, float(loss))
with paddle.no_grad():
    src = paddle.randint(1, V, [100, L]); out = paddle.full([100, 1], BOS, "int64")
    for t in range(L): out = paddle.concat([out, model(src, out)[:, -1:].argmax(-1)], 1)
print("metric:", 1 - float((out[:, 1:] == src.flip(1)).astype("float32").mean()))

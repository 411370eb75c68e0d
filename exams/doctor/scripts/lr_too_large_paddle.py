import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(1)
V, L = 30, 12
class Bert(nn.Layer):
    def __init__(self):
        super().__init__(); self.word, self.pos = nn.Embedding(V, 32), nn.Embedding(L, 32)
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, activation="gelu"), 2); self.cls = nn.Linear(32, 2)
    def forward(self, ids): return self.cls(self.enc(self.word(ids) + self.pos(paddle.arange(L)))[:, 0])
model = Bert(); opt = paddle.optimizer.Adam(learning_rate=1e-3, parameters=model.parameters())
acc = []
for step in range(150):
    y = paddle.randint(0, 2, [32]); ids = paddle.randint(10, V, [32, L]); ids[:, 4] = y; ids[:, 7] = y + 3
    logits = model(ids); loss = F.cross_entropy(logits, y); acc.append(float((logits.argmax(1) == y).astype("float32").mean()))
    loss.backward(); opt.step(); opt.clear_grad()
    if step % 30 == 0: print(step, float(loss), acc[-1])
print("metric:", 1 - sum(acc[-20:]) / 20)

import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
V, L = 20, 10
class Classifier(nn.Layer):
    def __init__(self):
        super().__init__(); self.emb = nn.Embedding(V, 32); self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0), 1); self.fc = nn.Linear(32, 2)
    def forward(self, x): return self.fc(self.enc(self.emb(x)).mean(1))
model = Classifier()
scheduler = paddle.optimizer.lr.LinearWarmup(learning_rate=2e-3, warmup_steps=20, start_lr=0.0, end_lr=2e-3)
opt = paddle.optimizer.AdamW(learning_rate=scheduler, parameters=model.parameters())
for step in range(150):
    x = paddle.randint(0, V, [32, L]); y = ((x < 5).sum(1) > 2).astype("int64")
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    opt.step()
    scheduler.step()
    opt.clear_grad()
    if step % 30 == 0: print(step, float(loss))
print("metric:", float(loss))

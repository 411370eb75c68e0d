import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(2024)
VOCAB, LEN = 40, 8


class TinyErnie(nn.Layer):
    def __init__(self, d=32):
        super().__init__()
        self.word = nn.Embedding(VOCAB, d)
        self.pos = nn.Embedding(LEN, d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.cls = nn.Linear(d, 2)

    def forward(self, ids):
        h = self.word(ids) + self.pos(paddle.arange(LEN))
        return self.cls(self.encoder(h).mean(axis=1))


ids = paddle.randint(1, VOCAB, [512, LEN])
labels = ((ids < 10).astype("int64").sum(axis=1) >= 2).astype("int64")

model = TinyErnie()
num_steps = 120
scheduler = paddle.optimizer.lr.LinearWarmup(
    learning_rate=paddle.optimizer.lr.PolynomialDecay(2e-3, decay_steps=num_steps, end_lr=1e-5),
    warmup_steps=12, start_lr=0.0, end_lr=2e-3)
optimizer = paddle.optimizer.AdamW(
    learning_rate=scheduler,
    parameters=model.parameters(), weight_decay=0.01,
    grad_clip=nn.ClipGradByGlobalNorm(1.0))

for step in range(num_steps):
    idx = paddle.randint(0, 512, [32])
    logits = model(paddle.index_select(ids, idx))
    loss = F.cross_entropy(logits, paddle.index_select(labels, idx))
    loss.backward()
    optimizer.step()
    scheduler.step()
    optimizer.clear_grad()
    if step % 12 == 0:
        print(f"global step {step}, loss {float(loss):.4f}, lr {scheduler.get_lr():.6f}")

acc = (model(ids).argmax(axis=1) == labels).astype("float32").mean()
print("train acc", float(acc))

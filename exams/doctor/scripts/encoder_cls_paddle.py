import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(9)
np.random.seed(9)
PAD, CLS, VOCAB, MAXLEN = 0, 1, 40, 20


def batch(n):
    x = np.zeros((n, MAXLEN), "int64")
    y = np.random.randint(0, 2, n)
    for i in range(n):
        l = np.random.randint(4, MAXLEN - 1)
        x[i, :l] = np.random.randint(12, VOCAB, l)
        lo = 2 if y[i] else 7
        k = np.random.choice(l, max(1, l // 6), replace=False)
        x[i, k] = np.random.randint(lo, lo + 5, len(k))
    x = np.concatenate([np.full((n, 1), CLS), x], axis=1)
    return paddle.to_tensor(x), paddle.to_tensor(y)


class Encoder(nn.Layer):
    def __init__(self, d=32):
        super().__init__()
        self.word = nn.Embedding(VOCAB, d)
        self.position = nn.Embedding(MAXLEN + 1, d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.classifier = nn.Linear(d, 2)

    def forward(self, ids):
        mask = (ids != PAD)
        h = self.word(ids) + self.position(paddle.arange(ids.shape[1]))
        h = self.encoder(h, src_mask=mask.unsqueeze([1, 2]))
        return self.classifier(h[:, 0])


model = Encoder()
scheduler = paddle.optimizer.lr.CosineAnnealingDecay(2e-3, T_max=250)
opt = paddle.optimizer.AdamW(learning_rate=scheduler, parameters=model.parameters())
for step in range(1, 251):
    x, y = batch(32)
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    scheduler.step()
    if step % 50 == 0:
        print(f"global step {step}, loss: {float(loss):.5f}")
model.eval()
x, y = batch(500)
with paddle.no_grad():
    print("test acc", float((model(x).argmax(1) == y).astype("float32").mean()))

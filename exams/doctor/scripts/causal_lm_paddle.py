import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
V, T, D = 10, 16, 32


def batch(n):
    a, b = rng.randint(0, V, (n, 1)), rng.randint(1, 4, (n, 1))
    seq = (a + b * np.arange(T + 1)) % V
    return paddle.to_tensor(seq[:, :-1].astype("int64")), paddle.to_tensor(seq[:, 1:].astype("int64"))


class LM(nn.Layer):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(V, D)
        self.pos = nn.Embedding(T, D)
        layer = nn.TransformerEncoderLayer(D, 4, 64, dropout=0.0, normalize_before=True)
        self.enc = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(D))
        self.head = nn.Linear(D, V)

    def forward(self, x):
        t = x.shape[1]
        mask = paddle.triu(paddle.full([t, t], float("-inf")), diagonal=1)
        h = self.tok(x) + self.pos(paddle.arange(t))
        return self.head(self.enc(h, mask))


model = LM()
sched = paddle.optimizer.lr.NoamDecay(d_model=D, warmup_steps=60, learning_rate=0.25)
opt = paddle.optimizer.Adam(learning_rate=sched, parameters=model.parameters(), beta2=0.98)
for step in range(1, 241):
    x, y = batch(32)
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    sched.step()
    if step % 60 == 0 or step == 1:
        model.eval()
        with paddle.no_grad():
            x, y = batch(200)
            ctx = x[:, :3]
            for _ in range(5):
                ctx = paddle.concat([ctx, model(ctx)[:, -1].argmax(-1, keepdim=True)], axis=1)
            acc = float((ctx == x[:, :8]).all(axis=1).astype("float32").mean())
        model.train()
        print(f"step {step} lr {sched.get_lr():.4f} loss {float(loss):.3f} continuation exact {acc:.3f}")

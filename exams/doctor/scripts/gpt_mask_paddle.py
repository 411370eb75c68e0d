import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
V, T, D = 16, 12, 32
trans = np.random.dirichlet(np.ones(V) * 0.5, V)
cum = trans.cumsum(1)


def sample(n):
    s = np.zeros((n, T + 1), dtype="int64")
    s[:, 0] = np.random.randint(0, V, n)
    for t in range(T):
        s[:, t + 1] = np.minimum((np.random.rand(n, 1) > cum[s[:, t]]).sum(1), V - 1)
    return paddle.to_tensor(s)


class GPT(nn.Layer):
    def __init__(self):
        super().__init__()
        self.tok, self.pos = nn.Embedding(V, D), nn.Embedding(T, D)
        self.blocks = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(D, 4, 64, dropout=0.0, activation="gelu", normalize_before=True), 2)
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, V)

    def forward(self, ids):
        n = ids.shape[1]
        h = self.tok(ids) + self.pos(paddle.arange(n))
        mask = paddle.tril(paddle.ones([1, 1, n, n])).astype("bool")
        h = self.blocks(h, src_mask=mask)
        return self.head(self.norm(h))


model = GPT()
opt = paddle.optimizer.AdamW(3e-3, parameters=model.parameters())
for step in range(200):
    s = sample(48)
    loss = F.cross_entropy(model(s[:, :-1]).reshape([-1, V]), s[:, 1:].reshape([-1]))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 20 == 0:
        print(f"step {step} loss {float(loss):.4f}")

entropy = -(trans * np.log(trans + 1e-12)).sum(1).mean()
model.eval()
s, nll = sample(200), []
for t in range(1, T):
    nll.append(float(F.cross_entropy(model(s[:, :t])[:, -1], s[:, t])))
print(f"entropy rate of the source about {entropy:.3f}; next-token nll when generating {np.mean(nll):.3f}")

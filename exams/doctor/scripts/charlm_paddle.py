import numpy as np
import paddle
from paddle import nn

import parity

paddle.seed(2)
rng = np.random.default_rng(3)
text = "she sells sea shells by the sea shore and the shells she sells are sea shells for sure " * 10
chars = sorted(set(text))
ids = np.array([chars.index(c) for c in text], dtype="int64")
BLOCK, BATCH, WIDTH = 12, 8, 32


class TinyGPT(nn.Layer):
    def __init__(self, vocab):
        super().__init__()
        self.tok = nn.Embedding(vocab, WIDTH, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Normal(std=0.1)))
        self.pos = self.create_parameter([BLOCK, WIDTH], default_initializer=nn.initializer.Normal(std=0.02))
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 64, dropout=0.1, activation="gelu", normalize_before=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocab)

    def forward(self, x):
        length = x.shape[1]
        h = self.tok(x) + self.pos[:length]
        mask = paddle.triu(paddle.full([length, length], -1e9), 1)
        h = self.encoder(h, mask)
        return self.head(self.norm(h))


def get_batch():
    starts = rng.integers(0, len(ids) - BLOCK - 1, BATCH)
    x = np.stack([ids[s:s + BLOCK] for s in starts])
    y = np.stack([ids[s + 1:s + BLOCK + 1] for s in starts])
    return paddle.to_tensor(x), paddle.to_tensor(y)


model = TinyGPT(len(chars))
cosine = paddle.optimizer.lr.CosineAnnealingDecay(learning_rate=3e-3, T_max=200)
scheduler = paddle.optimizer.lr.LinearWarmup(cosine, warmup_steps=8, start_lr=1e-4, end_lr=3e-3)
decay_params = [p.name for n, p in model.named_parameters() if not any(nd in n for nd in ["bias", "norm"])]
optimizer = paddle.optimizer.AdamW(
    learning_rate=scheduler,
    parameters=model.parameters(),
    weight_decay=0.05,
    apply_decay_param_fun=lambda name: name in decay_params,
    grad_clip=nn.ClipGradByGlobalNorm(1.0),
)
loss_fn = nn.CrossEntropyLoss()
model.train()

with parity.doctor(model, optimizer) as d:
    for step in range(18):
        x, y = get_batch()
        logits = model(x)
        loss = loss_fn(logits.reshape([-1, len(chars)]), y.reshape([-1]))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        scheduler.step()
        if step % 6 == 5:
            model.eval()
            with paddle.no_grad():
                probs = nn.functional.softmax(model(x[:1])[0, -1])
            model.train()
print(d)

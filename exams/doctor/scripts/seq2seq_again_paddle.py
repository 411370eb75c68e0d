import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(31)
np.random.seed(31)
V, T, BOS = 12, 6, 0


def pairs(n):
    src = np.random.randint(1, V, (n, T))
    tgt = src[:, ::-1].copy()
    dec_in = np.concatenate([np.full((n, 1), BOS), tgt[:, :-1]], axis=1)
    return map(paddle.to_tensor, (src, dec_in, tgt))


class Encoder(nn.Layer):
    def __init__(self, h):
        super().__init__()
        self.emb = nn.Embedding(V, h)
        self.rnn = nn.GRU(h, h)

    def forward(self, src):
        out, state = self.rnn(self.emb(src))
        return out, state


class Decoder(nn.Layer):
    def __init__(self, h):
        super().__init__()
        self.emb = nn.Embedding(V, h)
        self.rnn = nn.GRU(h, h)
        self.att = nn.Linear(h, h)
        self.out = nn.Linear(2 * h, V)

    def forward(self, tok, state, memory):
        h, state = self.rnn(self.emb(tok), state)
        score = F.softmax(paddle.matmul(self.att(h), memory, transpose_y=True), axis=-1)
        return self.out(paddle.concat([h, paddle.matmul(score, memory)], -1)), state


encoder, decoder = Encoder(48), Decoder(48)
opt = paddle.optimizer.Adam(learning_rate=4e-3, parameters=encoder.parameters() + decoder.parameters())
for step in range(350):
    src, dec_in, tgt = pairs(64)
    memory, state = encoder(src)
    logits, _ = decoder(dec_in, state, memory)
    loss = F.cross_entropy(logits, tgt.unsqueeze(-1))
    opt.clear_grad()
    loss.backward()
    opt.step()
    if step % 70 == 69:
        print("step", step + 1, "loss", round(float(loss), 4))

with paddle.no_grad():
    src, _, tgt = pairs(300)
    memory, state = encoder(src)
    tok, res = paddle.full([300, 1], BOS, dtype="int64"), []
    for _ in range(T):
        logits, state = decoder(tok, state, memory)
        tok = logits.argmax(-1)
        res.append(tok)
    print("exact token accuracy", round(float((paddle.concat(res, 1) == tgt).astype("float32").mean()), 4))

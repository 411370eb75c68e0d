"""Reverse a sequence: GRU encoder and decoder with attention, teacher forcing, bfloat16 autocast, accumulation over 2 batches."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
import parity

STEPS, ACCUMULATE = 24, 2
PAD, BOS, EOS, WORDS = 0, 1, 2, 12
paddle.seed(2)
rng = np.random.default_rng(2)


def batches(n, size=32):
    for _ in range(n):
        src, out = np.full((size, 8), PAD), np.full((size, 9), PAD)
        lengths = rng.integers(3, 9, size)
        for row, k in enumerate(lengths):
            src[row, :k] = rng.integers(3, WORDS, k)
            out[row, :k], out[row, k] = src[row, :k][::-1], EOS
        yield paddle.to_tensor(src), paddle.to_tensor(lengths), paddle.to_tensor(out)


class Seq2Seq(nn.Layer):
    def __init__(self, dim=48):
        super().__init__()
        self.embed = nn.Embedding(WORDS, dim, padding_idx=PAD)
        self.encoder = nn.GRU(dim, dim // 2, direction="bidirect")
        self.cell = nn.GRUCell(2 * dim, dim)
        self.query, self.mix = nn.Linear(dim, dim), nn.Linear(2 * dim, dim)

    def forward(self, src, lengths, out):
        memory, last = self.encoder(self.embed(src), sequence_length=lengths)
        h = paddle.concat([last[0], last[1]], -1)
        outside = (src == PAD).astype("float32").unsqueeze(1) * -1e4
        word, context, logits = paddle.full([src.shape[0]], BOS, "int64"), paddle.zeros_like(h), []
        for t in range(out.shape[1]):
            h, _ = self.cell(paddle.concat([self.embed(word), context], -1), h)
            score = paddle.matmul(self.query(h).unsqueeze(1), memory, transpose_y=True) + outside
            context = paddle.matmul(F.softmax(score, -1), memory).squeeze(1)
            step = paddle.matmul(F.tanh(self.mix(paddle.concat([h, context], -1))), self.embed.weight, transpose_y=True)
            logits.append(step)
            word = out[:, t] if rng.random() < 0.8 else step.argmax(-1)
        return paddle.stack(logits, 1)


model = Seq2Seq()
rate = paddle.optimizer.lr.NoamDecay(48, warmup_steps=40, learning_rate=0.6)
optimizer = paddle.optimizer.AdamW(rate, parameters=model.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0))
scaler = paddle.amp.GradScaler(enable=False)
losses = []
with parity.doctor(model, optimizer) as d:
    for i, (src, lengths, out) in enumerate(d.watch(batches(STEPS))):
        with paddle.amp.auto_cast(level="O1", dtype="bfloat16"):
            logits = model(src, lengths, out)
        loss = F.cross_entropy(logits.astype("float32").reshape([-1, WORDS]), out.reshape([-1]), ignore_index=PAD)
        scaler.scale(loss / ACCUMULATE).backward()
        if (i + 1) % ACCUMULATE == 0:
            scaler.step(optimizer)
            scaler.update()
            optimizer.clear_grad()
            rate.step()
        losses.append(loss.item())
print(d)
print("loss", losses[:3], losses[-3:])

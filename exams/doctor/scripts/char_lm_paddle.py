import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
text = "the cat sat on the mat and the dog ran to the red hat while a fat rat ate the ham on a tan mat " * 30
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = np.array([stoi[c] for c in text])
SEQ = 20


class CharLSTM(nn.Layer):
    def __init__(self, v, d=24, h=48):
        super().__init__()
        self.emb = nn.Embedding(v, d)
        self.lstm = nn.LSTM(d, h)
        self.out = nn.Linear(h, v)

    def forward(self, x, state=None):
        y, state = self.lstm(self.emb(x), state)
        return self.out(y), state


def get_batch(n):
    pos = np.random.randint(0, len(data) - SEQ - 1, n)
    seq = np.stack([data[p:p + SEQ + 1] for p in pos])
    return paddle.to_tensor(seq[:, :-1]), paddle.to_tensor(seq[:, 1:])


model = CharLSTM(len(chars))
opt = paddle.optimizer.Adam(learning_rate=0.01, parameters=model.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0))
for step in range(150):
    x, y = get_batch(32)
    logits, _ = model(x)
    loss = F.cross_entropy(logits.reshape([-1, len(chars)]), y.reshape([-1]))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 15 == 0:
        print(f"step {step} loss {float(loss):.4f}")

tok, state, out = paddle.to_tensor([[stoi["t"]]]), None, "t"
for _ in range(40):
    logits, state = model(tok, state)
    tok = logits[:, -1].argmax(axis=-1, keepdim=True)
    out += chars[tok.item()]
print("sample:", out)

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
V, B, T = 12, 16, 16
seq = [0]
for _ in range(B * 400):
    seq.append((seq[-1] * 5 + 3) % V if np.random.rand() < 0.85 else np.random.randint(V))
data = np.array(seq[:B * 400]).reshape(B, 400)


class LM(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb, self.rnn, self.out = nn.Embedding(V, 16), nn.LSTM(16, 40), nn.Linear(40, V)

    def forward(self, x, state):
        h, state = self.rnn(self.emb(x), state)
        return self.out(h), state


model = LM()
opt = paddle.optimizer.Adam(5e-3, parameters=model.parameters(), grad_clip=nn.ClipGradByGlobalNorm(0.5))
for epoch in range(5):
    state, tot, n = (paddle.zeros([1, B, 40]), paddle.zeros([1, B, 40])), 0.0, 0
    for t in range(0, 400 - T - 1, T):
        x = paddle.to_tensor(data[:, t:t + T])
        y = paddle.to_tensor(data[:, t + 1:t + T + 1])
        state = tuple(s.detach() for s in state)
        logits, state = model(x, state)
        loss = F.cross_entropy(logits.reshape([-1, V]), y.reshape([-1]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot, n = tot + float(loss), n + 1
    print(f"epoch {epoch} loss {tot / n:.4f} ppl {np.exp(tot / n):.2f}")

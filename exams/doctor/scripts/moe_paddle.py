"""Sparse mixture of experts with a Gumbel-softmax gate, two tasks weighted by learned uncertainty (Kendall)."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import TensorDataset, DataLoader
import parity

EPOCHS = 3
paddle.seed(8)
np.random.seed(8)
X = np.random.randn(512, 10).astype("float32")
kind = (X[:, 0] > 0).astype(int) * 2 + (X[:, 1] > 0).astype(int)
table = np.random.randn(4, 10).astype("float32")
Y = (X * table[kind]).sum(1, keepdims=True).astype("float32")
C = ((X[:, 2] + X[:, 3]) * (X[:, 0]) > 0).astype("float32")[:, None]


class MoE(nn.Layer):
    def __init__(self, experts=8, width=32):
        super().__init__()
        self.gate = nn.Linear(10, experts)
        self.experts = nn.LayerList([nn.Sequential(nn.Linear(10, width), nn.GELU(), nn.Linear(width, width)) for _ in range(experts)])
        self.regress, self.classify = nn.Linear(width, 1), nn.Linear(width, 1)

    def forward(self, x, tau):
        scores = self.gate(x)
        choice = F.gumbel_softmax(scores, temperature=tau, hard=True)
        h = paddle.zeros([x.shape[0], 32])
        for i, expert in enumerate(self.experts):
            rows = paddle.nonzero(choice[:, i] > 0.5).flatten()
            if rows.shape[0] == 0:
                continue
            part = expert(x.index_select(rows)) * choice[:, i].index_select(rows).unsqueeze(-1)
            h = paddle.scatter(h, rows, part, overwrite=False) if rows.shape[0] else h
        usage = F.softmax(scores).mean(0)
        return self.regress(F.gelu(h)), self.classify(F.gelu(h)), (usage * usage).sum() * usage.shape[0]


model = MoE()
log_var = paddle.create_parameter([2], "float32", default_initializer=nn.initializer.Constant(0.0))
optimizer = paddle.optimizer.Adam(parameters=[
    {"params": model.parameters()}, {"params": [log_var], "learning_rate": 0.5, "weight_decay": 0.0}], learning_rate=4e-3)
loader = DataLoader(TensorDataset([paddle.to_tensor(v) for v in (X, Y, C)]), batch_size=64, shuffle=True)
step, totals = 0, []
with parity.doctor(model, optimizer) as d:
    for epoch in range(EPOCHS):
        for x, y, c in d.watch(loader):
            a, b, balance = model(x, tau=max(0.5, 1.5 * 0.995 ** step))
            first, second = F.mse_loss(a, y), F.binary_cross_entropy_with_logits(b, c)
            loss = (paddle.exp(-log_var) * paddle.stack([0.5 * first, second]) + 0.5 * log_var).sum() + 0.01 * balance
            optimizer.clear_grad()
            loss.backward()
            optimizer.step()
            step += 1
            totals.append((loss.item(), first.item(), second.item()))
print(d)
print("first", np.mean(totals[:4], 0), "last", np.mean(totals[-4:], 0), log_var.numpy())

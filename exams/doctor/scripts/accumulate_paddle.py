import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, TensorDataset

paddle.seed(0)
np.random.seed(0)
ids = np.random.randint(0, 30, (480, 10))
y = (np.isin(ids, [3, 7, 11]).sum(1) > 0).astype("int64")
loader = DataLoader(TensorDataset([paddle.to_tensor(ids), paddle.to_tensor(y)]), batch_size=8, shuffle=True)


class Att(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb, self.score, self.out = nn.Embedding(30, 24), nn.Linear(24, 1), nn.Linear(24, 2)

    def forward(self, x):
        e = self.emb(x)
        w = F.softmax(self.score(e), axis=1)
        return self.out((w * e).sum(axis=1))


model = Att()
ACC = 4
opt = paddle.optimizer.AdamW(2e-2, parameters=model.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0))
for epoch in range(8):
    tot = 0.0
    for i, (xb, yb) in enumerate(loader):
        loss = F.cross_entropy(model(xb), yb)
        (loss / ACC).backward()
        if (i + 1) % ACC == 0:
            opt.step()
            opt.clear_grad()
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / len(loader):.4f}")

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, Dataset

paddle.seed(13)
np.random.seed(13)


class Tiles(Dataset):
    def __init__(self, n):
        self.y = np.random.randint(0, 4, n)
        self.x = np.random.rand(n, 1, 16, 16).astype("float32") * 0.5
        for i, c in enumerate(self.y):
            r, q = divmod(int(c), 2)
            a, b = np.random.randint(0, 4, 2)
            self.x[i, 0, r * 8 + a:r * 8 + a + 4, q * 8 + b:q * 8 + b + 4] += 0.8

    def __getitem__(self, i):
        return (self.x[i] - 0.3) / 0.25, self.y[i]

    def __len__(self):
        return len(self.y)


class ViT(nn.Layer):
    def __init__(self, d=32):
        super().__init__()
        self.patch = nn.Conv2D(1, d, 4, stride=4)
        self.cls = self.create_parameter([1, 1, d], default_initializer=nn.initializer.TruncatedNormal(std=0.02))
        self.pos = self.create_parameter([1, 17, d], default_initializer=nn.initializer.TruncatedNormal(std=0.2))
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, activation="gelu", normalize_before=True), 2, nn.LayerNorm(d))
        self.head = nn.Linear(d, 4)

    def forward(self, x):
        t = self.patch(x).flatten(2).transpose([0, 2, 1])
        t = paddle.concat([self.cls.expand([t.shape[0], -1, -1]), t], 1) + self.pos
        return self.head(self.enc(t)[:, 0])


net = ViT()
loader = DataLoader(Tiles(1200), batch_size=40, shuffle=True)
val = Tiles(300)
vx = paddle.to_tensor(np.stack([val[i][0] for i in range(300)]))
steps = 8 * len(loader)
sched = paddle.optimizer.lr.LinearWarmup(paddle.optimizer.lr.CosineAnnealingDecay(2e-3, steps - 20), 20, 1e-6, 2e-3)
opt = paddle.optimizer.AdamW(sched, parameters=net.parameters(), weight_decay=0.05,
                             apply_decay_param_fun=lambda n: "w_0" in n)
for ep in range(8):
    net.train()
    for x, y in loader:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        sched.step()
    net.eval()
    with paddle.no_grad():
        acc = float((net(vx).argmax(1).numpy() == val.y).mean())
    print("epoch", ep, "lr", f"{opt.get_lr():.2e}", "loss", round(float(loss), 4), "acc", round(acc, 4))

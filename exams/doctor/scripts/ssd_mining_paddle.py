import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0)
class SSD(nn.Layer):
    def __init__(self): super().__init__(); self.b, self.c, self.l = nn.Sequential(nn.Conv2D(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2D(16, 16, 3, 2, 1), nn.ReLU()), nn.Conv2D(16, 2, 1), nn.Conv2D(16, 2, 1)
    def forward(self, x): h = self.b(x); return self.c(h).transpose([0, 2, 3, 1]).reshape([-1, 16, 2]), self.l(h).transpose([0, 2, 3, 1]).reshape([-1, 16, 2])
net = SSD(); opt = paddle.optimizer.Momentum(0.02, 0.9, parameters=net.parameters(), weight_decay=5e-4)
for it in range(100):
    x = rng.normal(0, 0.2, (8, 1, 16, 16)); lab = np.zeros((8, 16), "int64"); off = np.zeros((8, 16, 2), "float32")
    for i in range(8):
        if rng.random() < 0.6: r, c = rng.integers(1, 15, 2); x[i, 0, r-1:r+2, c-1:c+2] += 2; k = (r // 4) * 4 + c // 4; lab[i, k] = 1; off[i, k] = (r % 4) / 4, (c % 4) / 4
    conf, loc = net(paddle.to_tensor(x.astype("float32"))); lab, off = paddle.to_tensor(lab), paddle.to_tensor(off); pos = (lab == 1).astype("float32"); n = pos.sum().clip(min=1)
    ce = F.cross_entropy(conf, lab, reduction="none").reshape([8, 16]); neg = ce * (1 - pos); k = paddle.sort(neg.flatten(), descending=True)[min(127, int(3 * float(n)))]; keep = pos + ((1 - pos) * (neg.detach() > k.detach()).astype("float32"))
    loss = (ce * keep).sum() / n + (F.smooth_l1_loss(loc, off, reduction="none").sum(-1) * pos).sum() / n; loss.backward(); opt.step(); opt.clear_grad()
    if it % 25 == 0: print(it, float(loss))

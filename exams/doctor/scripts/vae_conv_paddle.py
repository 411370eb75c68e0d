import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0)
class VAE(nn.Layer):
    def __init__(self): super().__init__(); self.e, self.m, self.s, self.d = nn.Sequential(nn.Conv2D(1, 8, 3, 2, 1), nn.ReLU(), nn.Flatten()), nn.Linear(128, 4), nn.Linear(128, 4), nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64))
    def forward(self, x): h = self.e(x); m, s = self.m(h), self.s(h); return self.d(m + (0.5 * s).exp() * paddle.randn(m.shape)), m, s
net = VAE(); opt = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
for it in range(120):
    x = np.zeros((32, 1, 8, 8), "float32")
    for i in range(32): r, c = rng.integers(0, 5, 2); x[i, 0, r:r+4, c:c+4] = 1
    x = paddle.to_tensor(x); y, m, s = net(x); loss = F.binary_cross_entropy_with_logits(y, x.flatten(1), reduction="sum") - 0.5 * (1 + s - m ** 2 - s.exp()).sum(); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))

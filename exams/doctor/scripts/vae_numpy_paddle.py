import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); np.random.seed(0)
basis = paddle.randn([3, 16])
class VAE(nn.Layer):
    def __init__(self): super().__init__(); self.enc, self.mu, self.logvar, self.dec = nn.Linear(16, 32), nn.Linear(32, 3), nn.Linear(32, 3), nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 16))
    def forward(self, x):
        h = F.relu(self.enc(x)); mu, logvar = self.mu(h), self.logvar(h)
        sigma = paddle.exp(0.5 * logvar)
        z = mu + sigma * paddle.to_tensor(np.random.randn(*mu.shape).astype("float32"))
        return self.dec(z), mu, logvar
net = VAE(); opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for it in range(250):
    x = paddle.randn([64, 3]) @ basis
    out, mu, logvar = net(x); rec = ((out - x) ** 2).sum(1).mean(); kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1).mean()
    loss = rec + 0.1 * kl; loss.backward(); opt.step(); opt.clear_grad()
    if it % 50 == 0: print(it, float(rec), float(kl))
print("metric:", float(rec))

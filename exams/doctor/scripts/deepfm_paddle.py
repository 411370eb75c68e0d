import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0); hot = rng.normal(size=(5, 40))
class FM(nn.Layer):
    def __init__(self): super().__init__(); self.w, self.v, self.f = nn.Embedding(200, 1, sparse=True), nn.Embedding(200, 6, sparse=True), nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
    def forward(self, i): v = self.v(i); return F.sigmoid(self.w(i).sum(1) + 0.5 * (v.sum(1) ** 2 - (v ** 2).sum(1)).sum(1, keepdim=True) + self.f(v.flatten(1)))
net = FM(); opt = paddle.optimizer.Adam(1e-2, parameters=net.parameters(), lazy_mode=True); auc = paddle.metric.Auc()
for it in range(120):
    i = rng.integers(0, 40, (128, 5)); y = (hot[np.arange(5), i].sum(1) > 0).astype("float32")[:, None]; p = net(paddle.to_tensor(i + 40 * np.arange(5))); loss = F.log_loss(p, paddle.to_tensor(y)).mean(); loss.backward(); opt.step(); opt.clear_grad()
    auc.update(np.concatenate([1 - p.numpy(), p.numpy()], 1), y.astype("int64"))
    if it % 30 == 0: print(it, float(loss), auc.accumulate()); auc.reset()

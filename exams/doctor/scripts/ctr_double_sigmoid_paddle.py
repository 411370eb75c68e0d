import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0)
hot = rng.normal(size=(4, 50))
def batch(n=128):
    ids = rng.integers(0, 50, (n, 4)); s = hot[np.arange(4), ids].sum(1); return paddle.to_tensor(ids + 50 * np.arange(4)), paddle.to_tensor((s > 1.5).astype("float32"))
class FM(nn.Layer):
    def __init__(self): super().__init__(); self.w, self.v = nn.Embedding(200, 1), nn.Embedding(200, 6); self.b = self.create_parameter([1], is_bias=True)
    def forward(self, ids):
        v = self.v(ids); second = 0.5 * (v.sum(1) ** 2 - (v ** 2).sum(1)).sum(1)
        score = self.b + self.w(ids).sum([1, 2]) + second
        return score
net = FM(); opt = paddle.optimizer.Adam(1e-2, parameters=net.parameters())
for it in range(250):
    ids, y = batch(); loss = F.binary_cross_entropy_with_logits(net(ids), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 50 == 0: print(it, float(loss))
print("metric:", float(loss))

import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0)
def focal(logit, y, gamma=2.0, alpha=0.25):
    p = F.sigmoid(logit)
    p = p.clip(1e-6, 1 - 1e-6)
    return -(alpha * y * (1 - p) ** gamma * paddle.log(p) + (1 - alpha) * (1 - y) * p ** gamma * paddle.log(1 - p)).mean()
net = nn.Sequential(nn.Conv2D(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2D(8, 1, 3, padding=1)); opt = paddle.optimizer.Adam(2e-2, parameters=net.parameters())
for it in range(120):
    x = rng.normal(0, 0.3, (8, 1, 12, 12)); y = np.zeros((8, 1, 12, 12))
    for i in range(8): r, c = rng.integers(0, 12, 2); y[i, 0, r, c] = 1; x[i, 0, r, c] += 60
    loss = focal(net(paddle.to_tensor(x.astype("float32"))), paddle.to_tensor(y.astype("float32")))
    loss.backward(); opt.step(); opt.clear_grad()
    if it % 20 == 0: print(it, float(loss))
print("metric:", float(loss))

import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0)
y = rng.integers(0, 4, 600); x = (rng.normal(size=(4, 16))[y] + 0.5 * rng.normal(size=(600, 16))).astype("float32")
p = rng.permutation(600)
x = x[p]
y = y[p]
net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)); opt = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
for epoch in range(8):
    for i in range(0, 600, 30):
        loss = F.cross_entropy(net(paddle.to_tensor(x[i:i+30])), paddle.to_tensor(y[i:i+30])); loss.backward(); opt.step(); opt.clear_grad()
    print(epoch, float(loss))
print("metric:", float(loss))

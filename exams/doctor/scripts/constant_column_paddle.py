import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0)
X = rng.normal(5, 3, (500, 7)).astype("float32"); X[:, 4] = 1.0; y = ((X[:, 0] - X[:, 1]) > 0).astype("int64")
X = (X - X.mean(0)) / (X.std(0) + 1e-6)
net = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 2)); opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
for epoch in range(6):
    for i in range(0, 500, 25):
        loss = F.cross_entropy(net(paddle.to_tensor(X[i:i+25])), paddle.to_tensor(y[i:i+25])); loss.backward(); opt.step(); opt.clear_grad()
    print(epoch, float(loss))
print("metric:", float(loss))

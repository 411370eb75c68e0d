import numpy as np, paddle, paddle.nn as nn
paddle.seed(0); rng = np.random.default_rng(0)
X = rng.normal(size=(400, 9)).astype("float32"); y = (X @ rng.normal(size=9) + 0.1 * rng.normal(size=400)).astype("float32")
class Price(nn.Layer):
    def __init__(self): super().__init__(); self.fc = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 1))
    def forward(self, x): return self.fc(x)
class Houses(paddle.io.Dataset):
    def __len__(self): return len(X)
    def __getitem__(self, i): return X[i], y[i]
net = Price(); opt = paddle.optimizer.Adam(1e-2, parameters=net.parameters())
for epoch in range(8):
    for x, label in paddle.io.DataLoader(Houses(), batch_size=32, shuffle=True):
        label = label.reshape([-1, 1])
        loss = paddle.nn.functional.square_error_cost(net(x), label).mean()
        loss.backward(); opt.step(); opt.clear_grad()
    print(epoch, float(loss))
print("metric:", float(((net(paddle.to_tensor(X)).squeeze(1) - paddle.to_tensor(y)) ** 2).mean()))

import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); np.random.seed(0)
W = np.random.randn(20, 8); X = np.random.randn(800, 20).astype("float32"); Y = (X @ W).argmax(1)
class MLP(nn.Layer):
    def __init__(self):
        super().__init__(); self.fc1, self.fc2, self.out = nn.Linear(20, 48), nn.Linear(48, 48), nn.Linear(48, 8)
    def forward(self, x):
        x = F.relu(self.fc2(F.relu(self.fc1(x))))
        return self.out(x)
net, loss_fn = MLP(), nn.CrossEntropyLoss()
opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())
data = paddle.io.TensorDataset([paddle.to_tensor(X), paddle.to_tensor(Y)])
for epoch in range(8):
    for x, y in paddle.io.DataLoader(data, batch_size=40, shuffle=True):
        loss = loss_fn(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    print(epoch, float(loss))
print("metric:", -float((net(paddle.to_tensor(X)).argmax(1) == paddle.to_tensor(Y)).astype("float32").mean()))

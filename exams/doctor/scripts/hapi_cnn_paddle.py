import numpy as np, paddle, paddle.nn as nn
paddle.seed(0); rng = np.random.default_rng(0)
X = rng.normal(size=(320, 1, 10, 10)).astype("float32"); Y = rng.integers(0, 4, 320)
for i in range(320): r, c = divmod(int(Y[i]), 2); X[i, 0, 5*r:5*r+5, 5*c:5*c+5] += 1
class D(paddle.io.Dataset):
    def __init__(self, a, b): self.a, self.b = a, b
    def __len__(self): return self.b - self.a
    def __getitem__(self, i): return X[self.a + i], Y[self.a + i:self.a + i + 1]
net = nn.Sequential(nn.Conv2D(1, 8, 3), nn.BatchNorm2D(8), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 4))
lr = paddle.optimizer.lr.CosineAnnealingDecay(5e-3, T_max=45); model = paddle.Model(net)
model.prepare(paddle.optimizer.Adam(lr, parameters=net.parameters()), nn.CrossEntropyLoss(), paddle.metric.Accuracy()); model.fit(D(0, 240), D(240, 320), epochs=6, batch_size=32, verbose=2)

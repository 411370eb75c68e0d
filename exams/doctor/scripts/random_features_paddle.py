import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import Dataset
from paddle.metric import Accuracy

paddle.seed(0)
np.random.seed(0)
W = np.random.randn(10, 4)


class DS(Dataset):
    def __init__(self, n):
        self.x = np.random.randn(n, 10).astype("float32")
        self.y = np.abs(self.x @ W).argmax(1).astype("int64")[:, None]

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


class RandomFeatures(nn.Layer):
    def __init__(self, d=512):
        super().__init__()
        self.project = nn.Linear(10, d)
        for p in self.project.parameters():
            p.stop_gradient = True
        self.project.weight.set_value(paddle.randn([10, d]) * 0.5)
        self.project.bias.set_value(paddle.uniform([d], min=-1, max=1))
        self.head = nn.Linear(d, 4)

    def forward(self, x):
        return self.head(nn.functional.relu(self.project(x)))


net = RandomFeatures()
model = paddle.Model(net)
optim = paddle.optimizer.Adam(learning_rate=5e-3, parameters=[p for p in net.parameters() if p.trainable])
model.prepare(optim, nn.CrossEntropyLoss(), Accuracy())
model.fit(DS(3000), DS(500), batch_size=50, epochs=16, verbose=0)
r = model.evaluate(DS(600), batch_size=200, verbose=0)
print("loss", round(float(r["loss"][0]), 4), "acc", round(float(r["acc"]), 4))

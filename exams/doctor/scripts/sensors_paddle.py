import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(4)
np.random.seed(4)
proto = np.random.randn(5, 16) * 1.0


def sensors(n, sort=False):
    y = np.random.randint(0, 5, n)
    if sort:
        y = np.sort(y)
    x = proto[y] + np.random.randn(n, 16)
    return x.astype("float32"), y


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1D(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1D(64), nn.ReLU(), nn.Linear(64, 5))

    def forward(self, x):
        return self.seq(x)


class Trainer:
    def __init__(self, model, lr=0.01, batch_size=64):
        self.model, self.bs = model, batch_size
        self.opt = paddle.optimizer.Adam(learning_rate=lr, parameters=model.parameters())

    def fit(self, x, y, epochs):
        self.model.train()
        for e in range(epochs):
            p = np.random.permutation(len(x))
            for s in range(0, len(p), self.bs):
                i = p[s:s + self.bs]
                loss = F.cross_entropy(self.model(paddle.to_tensor(x[i])), paddle.to_tensor(y[i]))
                loss.backward()
                self.opt.step()
                self.opt.clear_grad()
            print("epoch", e, "loss", round(float(loss), 4))

    @paddle.no_grad()
    def test(self, x, y):
        self.model.eval()
        hits = 0
        for s in range(0, len(x), 25):
            out = self.model(paddle.to_tensor(x[s:s + 25]))
            hits += int((out.argmax(1).numpy() == y[s:s + 25]).sum())
        return hits / len(x)


trainer = Trainer(Net())
trainer.fit(*sensors(2000), epochs=6)
print("test accuracy", trainer.test(*sensors(500, sort=True)))

import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(1000, 10)).astype("float32")
y = (np.maximum(x[:, 0], 0) - np.abs(x[:, 1]) + 0.5 * x[:, 2] * x[:, 3])[:, None].astype("float32")


def train(net, epochs=10, batch=50):
    opt = paddle.optimizer.Adam(learning_rate=3e-3, beta1=0.9, beta2=0.999, parameters=net.parameters())
    for epoch in range(epochs):
        total, order = 0.0, rng.permutation(800)
        for i in range(0, 800, batch):
            b = order[i:i + batch]
            loss = nn.functional.mse_loss(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
            loss.backward()
            opt.step()
            opt.clear_grad()
            total += float(loss)
        print("epoch", epoch, "loss", total * batch / 800)


net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
train(net)
print("test", float(nn.functional.mse_loss(net(paddle.to_tensor(x[800:])), paddle.to_tensor(y[800:]))))

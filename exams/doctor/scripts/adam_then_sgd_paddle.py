import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(1000, 12)).astype("float32")
y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype("int64")
net = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 2))
adam = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
sgd = paddle.optimizer.Momentum(learning_rate=0.02, momentum=0.9, parameters=net.parameters())
for epoch in range(16):
    opt = adam if epoch < 6 else sgd            # two optimizers over the same parameters, one after the other
    total = 0.0
    for b in rng.permutation(800).reshape(16, 50):
        loss = nn.functional.cross_entropy(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        total += float(loss) / 16
    print("epoch", epoch, type(opt).__name__, "loss", total)
print("accuracy", (net(paddle.to_tensor(x[800:])).numpy().argmax(1) == y[800:]).mean())

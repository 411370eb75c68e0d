import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 10)).astype("float32")
y = np.sort(x, 1)[:, -2:].sum(1, keepdims=True)
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
# the first step is taken at a rate of exactly zero: nothing moves, on purpose
warm = paddle.optimizer.lr.LambdaDecay(learning_rate=4e-3, lr_lambda=lambda s: min(s / 30, 1.0) * max(0.0, 1 - s / 400))
opt = paddle.optimizer.AdamW(learning_rate=warm, parameters=net.parameters(), weight_decay=0.01)
step = 0
while step < 400:
    for b in rng.permutation(600).reshape(12, 50):
        loss = nn.functional.mse_loss(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        if step % 60 == 0:
            print("step", step, "lr", opt.get_lr(), "loss", float(loss))
        warm.step()
        step += 1
print("final loss", float(loss))

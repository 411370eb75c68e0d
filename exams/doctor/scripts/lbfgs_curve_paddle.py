import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
x = paddle.linspace(-2, 2, 80).unsqueeze(1)
y = paddle.exp(-x ** 2) + 0.2 * x
net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
opt = paddle.optimizer.LBFGS(learning_rate=1.0, max_iter=15, line_search_fn="strong_wolfe", parameters=net.parameters())


def closure():
    opt.clear_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    return loss


for outer in range(8):
    loss = opt.step(closure)
    print("outer", outer, "loss before", float(loss))
print("final", float(nn.functional.mse_loss(net(x), y)))

import numpy as np
import paddle
import paddle.nn as nn
from paddle.static import InputSpec

paddle.seed(6)
np.random.seed(6)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))

    @paddle.jit.to_static(input_spec=[InputSpec([None, 6], "float32")], full_graph=True)
    def forward(self, x):
        return self.net(x)


x = np.random.uniform(-1, 1, (2000, 6)).astype("float32")
y = (np.sin(3 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]).astype("float32")
model = Net()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
for epoch in range(12):
    for i in np.array_split(np.random.permutation(2000), 40):
        loss = nn.functional.mse_loss(model(paddle.to_tensor(x[i])), paddle.to_tensor(y[i]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 3 == 2:
        print("epoch", epoch + 1, "mse", round(float(loss), 5))

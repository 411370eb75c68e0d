import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
np.random.seed(0)
data = np.random.randn(400, 5)
target = data @ np.array([1.0, -2.0, 0.5, 0.0, 3.0]) + 0.1 * np.random.randn(400)

model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = paddle.optimizer.SGD(learning_rate=0.02, parameters=model.parameters())
mse = nn.MSELoss()
for epoch in range(15):
    for k in range(0, 400, 40):
        xb = paddle.to_tensor(data[k:k + 40], dtype="float32")
        yb = paddle.to_tensor(target[k:k + 40, None], dtype="float32")
        loss = mse(model(xb), yb)
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))

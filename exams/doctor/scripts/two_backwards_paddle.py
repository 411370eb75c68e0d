import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(800, 8)).astype("float32")
y1 = (x[:, :1] * 2 - x[:, 1:2]).astype("float32")
y2 = (x[:, 2] * x[:, 3] > 0).astype("int64")
body = nn.Sequential(nn.Linear(8, 48), nn.ReLU())
reg, cls = nn.Linear(48, 1), nn.Linear(48, 2)
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=body.parameters() + reg.parameters() + cls.parameters())
for epoch in range(15):
    for i in range(0, 600, 50):
        h = body(paddle.to_tensor(x[i:i + 50]))
        a = nn.functional.mse_loss(reg(h), paddle.to_tensor(y1[i:i + 50]))
        b = nn.functional.cross_entropy(cls(h), paddle.to_tensor(y2[i:i + 50]))
        a.backward(retain_graph=True)           # two backwards into the same gradients, one step
        b.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 3 == 2:
        print("epoch", epoch, "regression", float(a), "classes", float(b))
h = body(paddle.to_tensor(x[600:]))
print("mse", ((reg(h).numpy() - y1[600:]) ** 2).mean(), "accuracy", (cls(h).numpy().argmax(1) == y2[600:]).mean())

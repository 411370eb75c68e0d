import numpy as np
import paddle

paddle.seed(0)
rng = np.random.default_rng(0)
x = paddle.to_tensor(rng.normal(size=(300, 6)).astype("float32"))
true = rng.normal(size=(6, 1)).astype("float32")
y = x @ paddle.to_tensor(true) + 0.05 * paddle.randn([300, 1])
w = paddle.zeros([6, 1])
w.stop_gradient = False
b = paddle.zeros([1])
b.stop_gradient = False
for epoch in range(60):
    loss = ((x @ w + b - y) ** 2).mean()
    loss.backward()
    with paddle.no_grad():
        for p in (w, b):
            p.set_value(p - 0.1 * p.grad)
            p.clear_gradient()
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())
print("final", loss.item(), "error of w", np.abs(w.numpy() - true).max())

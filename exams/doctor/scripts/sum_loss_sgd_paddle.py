import numpy as np
import paddle
import paddle.nn.functional as F

paddle.seed(8)
np.random.seed(8)
true_w, true_b = np.array([[2.0], [-3.4]], "float32"), 4.2
X = np.random.randn(1000, 2).astype("float32")
Y = X @ true_w + true_b + 0.01 * np.random.randn(1000, 1).astype("float32")
w = paddle.normal(0, 0.01, [2, 1])
b = paddle.zeros([1])
w.stop_gradient = False
b.stop_gradient = False
lr, batch_size = 0.03, 10


def sgd(params):
    with paddle.no_grad():
        for p in params:
            p.set_value(p - lr * p.grad / batch_size)
            p.clear_gradient()


for epoch in range(3):
    for i in np.array_split(np.random.permutation(1000), 100):
        xb, yb = paddle.to_tensor(X[i]), paddle.to_tensor(Y[i])
        l = ((paddle.matmul(xb, w) + b - yb) ** 2 / 2).sum()
        l.backward()
        sgd([w, b])
    tl = F.mse_loss(paddle.matmul(paddle.to_tensor(X), w) + b, paddle.to_tensor(Y))
    print("epoch", epoch + 1, "loss", round(float(tl), 6))

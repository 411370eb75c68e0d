"""MAML on sinusoids: weights are plain parameters in a dict, the inner loop is functional."""
import numpy as np
import paddle
import paddle.nn.functional as F
import parity

ITERATIONS, TASKS, INNER_LR = 15, 4, 0.01
paddle.seed(4)
rng = np.random.default_rng(4)


def parameter(*shape):
    std = min(0.3, shape[0] ** -0.5) if len(shape) == 2 else 0.0
    return paddle.create_parameter(list(shape), "float32", default_initializer=paddle.nn.initializer.Normal(0.0, std))


class Regressor(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.w1, self.b1 = parameter(1, 40), parameter(40)
        self.w2, self.b2 = parameter(40, 40), parameter(40)
        self.w3, self.b3 = parameter(40, 1), parameter(1)

    def weights(self):
        return [self.w1, self.b1, self.w2, self.b2, self.w3, self.b3]


def functional(x, weights):
    w1, b1, w2, b2, w3, b3 = weights
    h = F.relu(x @ w1 + b1)
    h = F.relu(h @ w2 + b2)
    return h @ w3 + b3


def sample_task():
    amplitude, phase = rng.uniform(0.5, 3.0), rng.uniform(0, np.pi)
    def draw(n):
        x = rng.uniform(-3, 3, (n, 1)).astype("float32")
        return paddle.to_tensor(x), paddle.to_tensor((amplitude * np.sin(x + phase)).astype("float32"))
    return draw(10), draw(10)


def adapt(weights, x, y, steps=2):
    for _ in range(steps):
        inner = F.mse_loss(functional(x, weights), y)
        grads = paddle.grad(inner, weights, create_graph=True)
        weights = [w - INNER_LR * g for w, g in zip(weights, grads)]
    return weights


net = Regressor()
meta = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
history = []
with parity.doctor(net, meta) as d:
    for it in range(ITERATIONS):
        d.mark()
        losses = []
        for _ in range(TASKS):
            (xs, ys), (xq, yq) = sample_task()
            fast = adapt(net.weights(), xs, ys)
            losses.append(F.mse_loss(functional(xq, fast), yq))
        outer = paddle.stack(losses).mean()
        outer.backward()
        meta.step()
        meta.clear_grad()
        history.append(float(outer))
print(d)
k = max(3, len(history) // 10)
print("outer", np.mean(history[:k]), np.mean(history[-k:]))

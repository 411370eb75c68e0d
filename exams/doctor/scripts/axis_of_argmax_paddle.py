import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
proto = rng.normal(0, 1.5, (10, 20))


def sample(n):
    y = rng.integers(0, 10, n)
    return (proto[y] + rng.normal(size=(n, 20))).astype("float32"), y


def accuracy(logits, labels):
    pred = paddle.argmax(logits, axis=1)
    return float((pred == labels).astype("float32").mean())


def evaluate(model, x, y):
    model.eval()
    scores = [accuracy(model(paddle.to_tensor(x[i:i + 10])), paddle.to_tensor(y[i:i + 10])) for i in range(0, len(x), 10)]
    model.train()
    return np.mean(scores)


x, y = sample(1000)
xv, yv = sample(300)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
for epoch in range(8):
    for i in range(0, 1000, 50):
        loss = nn.functional.cross_entropy(model(paddle.to_tensor(x[i:i + 50])), paddle.to_tensor(y[i:i + 50]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print(f"epoch {epoch} loss {float(loss):.4f} val acc {evaluate(model, xv, yv):.3f}")

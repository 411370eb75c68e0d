import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
n = 2000
y = (rng.random(n) < 0.06).astype("int64")
x = (rng.normal(size=(n, 8)) + y[:, None] * np.array([1.2, 0.9, 0.6, 0, 0, 0, 0, 0])).astype("float32")
counts = np.bincount(y[:1500], minlength=2)
weight = paddle.to_tensor((counts.sum() / (2.0 * counts)).astype("float32"))

model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
criterion = nn.CrossEntropyLoss(weight=weight)
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
for epoch in range(12):
    for b in rng.permutation(1500).reshape(30, 50):
        loss = criterion(model(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
pred = model(paddle.to_tensor(x[1500:])).numpy().argmax(1)
recall = [(pred[y[1500:] == c] == c).mean() for c in (0, 1)]
print("recall of fine and fraud", recall, "balanced accuracy", np.mean(recall))

import random

import torch

torch.manual_seed(0)
random.seed(0)
true_w, true_b = torch.tensor([2.0, -3.4, 0.7]), 4.2
X = torch.randn(400, 3)
y = (X @ true_w + true_b + 0.1 * torch.randn(400)).reshape(-1, 1)


def data_iter(batch_size):
    idx = list(range(400))
    random.shuffle(idx)
    for i in range(0, 400, batch_size):
        j = torch.tensor(idx[i:i + batch_size])
        yield X[j], y[j]


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad / batch_size
            p.grad.zero_()


w = torch.normal(0, 0.01, size=(3, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for epoch in range(6):
    for xb, yb in data_iter(20):
        l = (torch.matmul(xb, w) + b - yb) ** 2 / 2
        l.sum().backward()
        sgd([w, b], 0.05, 20)
    with torch.no_grad():
        print(f"epoch {epoch + 1}, loss {((X @ w + b - y) ** 2 / 2).mean().item():.5f}")
print("error of w", (true_w - w.reshape(-1)).tolist())

import torch

torch.manual_seed(0)
g = torch.Generator().manual_seed(2147483647)
X = torch.linspace(-3, 3, 400).view(-1, 1)
Y = torch.sin(2 * X) + 0.3 * X
W1 = torch.randn(1, 40, generator=g)
b1 = torch.randn(40, generator=g)
W2 = torch.randn(40, 40, generator=g) / 40 ** 0.5
b2 = torch.zeros(40)
W3 = torch.randn(40, 1, generator=g) * 0.1
b3 = torch.zeros(1)
parameters = [W1, b1, W2, b2, W3, b3]
for p in parameters:
    p.requires_grad = True

for i in range(3000):
    ix = torch.randint(0, 400, (64,), generator=g)
    h = torch.tanh(X[ix] @ W1 + b1)
    h = torch.tanh(h @ W2 + b2)
    loss = ((h @ W3 + b3 - Y[ix]) ** 2).mean()
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 2000 else 0.02
    for p in parameters:
        p.data += -lr * p.grad
    if i % 500 == 0 or i == 2999:
        print(i, loss.item())

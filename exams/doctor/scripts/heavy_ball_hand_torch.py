import torch

torch.manual_seed(0)
x = torch.linspace(-2, 2, 200)[:, None]
y = torch.tanh(2 * x) + 0.3 * x ** 2
w1, b1 = torch.randn(1, 30).requires_grad_(), torch.zeros(30, requires_grad=True)
w2, b2 = (torch.randn(30, 1) / 30 ** 0.5).requires_grad_(), torch.zeros(1, requires_grad=True)
params = [w1, b1, w2, b2]
speed = [torch.zeros_like(p) for p in params]
for epoch in range(400):
    loss = ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean()
    grads = torch.autograd.grad(loss, params)       # nothing lands in .grad
    with torch.no_grad():
        for p, v, g in zip(params, speed, grads):
            v.mul_(0.9).sub_(0.03 * g)
            p += v
    if epoch % 50 == 0:
        print(epoch, loss.item())
print("final", loss.item())

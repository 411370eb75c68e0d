"""Gaussian process regression: the kernel's parameters by marginal likelihood with L-BFGS, all data at once."""
import math
import torch
import parity

torch.manual_seed(5)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
ROUNDS = 12


class GP(torch.nn.Module):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y
        self.log_length = torch.nn.Parameter(torch.zeros(x.shape[1]))
        self.log_signal = torch.nn.Parameter(torch.tensor(0.0))
        self.log_noise = torch.nn.Parameter(torch.tensor(-1.0))
        self.mean = torch.nn.Parameter(torch.tensor(0.0))

    def kernel(self, a, b):
        a, b = a / self.log_length.exp(), b / self.log_length.exp()
        square = (a ** 2).sum(1)[:, None] + (b ** 2).sum(1)[None] - 2 * a @ b.T
        return (2 * self.log_signal).exp() * torch.exp(-0.5 * square)

    def nll(self):
        k = self.kernel(self.x, self.x) + ((2 * self.log_noise).exp() + 1e-6) * torch.eye(len(self.x))
        chol = torch.linalg.cholesky(k)
        r = (self.y - self.mean)[:, None]
        return (0.5 * (r * torch.cholesky_solve(r, chol)).sum() + chol.diagonal().log().sum()
                + 0.5 * len(r) * math.log(2 * math.pi)) / len(r)

    @torch.no_grad()
    def predict(self, x):
        k = self.kernel(self.x, self.x) + (2 * self.log_noise).exp() * torch.eye(len(self.x))
        return self.mean + self.kernel(x, self.x) @ torch.linalg.solve(k, self.y - self.mean)


def truth(x):
    return torch.sin(3 * x[:, 0]) + 0.5 * x[:, 1] + 2.0


x = torch.rand(80, 3) * 4 - 2                     # the third input says nothing
gp = GP(x, truth(x) + 0.1 * torch.randn(80))
optimizer = torch.optim.LBFGS(gp.parameters(), lr=0.5, max_iter=4, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = gp.nll()
    loss.backward()
    return loss


losses = []
with parity.doctor({"gp": gp}, {"lbfgs": optimizer}) as d:
    for r in range(ROUNDS):
        loss = optimizer.step(closure)
        losses.append(loss.item())
        if r % 4 == 3:
            probe = torch.rand(50, 3) * 4 - 2
            print(r, loss.item(), "rmse", float((gp.predict(probe) - truth(probe)).square().mean().sqrt()))
print(d)

import torch, torch.nn as nn
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1)); opt = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=5, line_search_fn="strong_wolfe")
x = torch.linspace(0, 1, 40)[:, None].requires_grad_()
def closure():
    opt.zero_grad(); u = net(x); g = torch.autograd.grad(u.sum(), x, create_graph=True)[0]; gg = torch.autograd.grad(g.sum(), x, create_graph=True)[0]
    loss = (gg + 9.87 * torch.sin(3.1416 * x)).pow(2).mean() + 10 * (net(torch.tensor([[0.0], [1.0]])).pow(2)).sum(); loss.backward(); return loss
for it in range(40):
    loss = opt.step(closure)
    if it % 10 == 0: print(it, loss.item())

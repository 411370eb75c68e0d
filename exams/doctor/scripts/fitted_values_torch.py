import copy
import torch
from torch import nn

torch.manual_seed(0)
# fitted value iteration on a ring of 20 states, reward 1 everywhere: the value is 1 / (1 - 0.9) = 10 but at the
# pit (state 0). The target grows from sweep to sweep, and so does the loss at first.
states = torch.arange(20)
onehot = torch.eye(20)
reward = torch.ones(20)
reward[0] = -5.0
net = nn.Linear(20, 1, bias=False)
nn.init.zeros_(net.weight)
opt = torch.optim.SGD(net.parameters(), lr=3.0)
frozen = copy.deepcopy(net)
for step in range(1200):
    s = torch.randint(0, 20, (64,))
    nxt = (s + torch.where(torch.rand(64) < 0.5, 1, -1)) % 20
    with torch.no_grad():
        target = reward[s] + 0.9 * frozen(onehot[nxt]).squeeze(1)
    loss = nn.functional.mse_loss(net(onehot[s]).squeeze(1), target)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 19:
        frozen.load_state_dict(net.state_dict())
    if step % 150 == 149:
        print("step", step, "loss", loss.item(), "mean value", net(onehot).mean().item())
v = torch.linalg.solve(torch.eye(20) - 0.45 * (onehot.roll(1, 0) + onehot.roll(-1, 0)), reward)
print("error of the values", (net(onehot).squeeze(1) - v).abs().mean().item())

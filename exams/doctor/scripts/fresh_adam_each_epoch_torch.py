import torch
from torch import nn

torch.manual_seed(0)
# snapshot of a federated client: every round starts from the server's weights with a new optimizer
x = torch.randn(900, 10)
y = (x[:, :5].sum(1) > x[:, 5:].sum(1)).long()
server = nn.Linear(10, 2)
clients = torch.arange(900).chunk(3)
for round_ in range(8):
    states, losses = [], []
    for rows in clients:
        net = nn.Linear(10, 2)
        net.load_state_dict(server.state_dict())
        opt = torch.optim.SGD(net.parameters(), lr=0.2)
        for i in rows[torch.randperm(len(rows))].split(30):
            loss = nn.functional.cross_entropy(net(x[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
        states.append(net.state_dict())
        losses.append(loss.item())
    server.load_state_dict({k: torch.stack([s[k] for s in states]).mean(0) for k in states[0]})
    print("round", round_, "client losses", losses)
print("accuracy of the server", (server(x).argmax(1) == y).float().mean().item())

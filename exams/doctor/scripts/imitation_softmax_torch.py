import torch
from torch import nn

torch.manual_seed(0)


class Policy(nn.Module):
    """Probabilities of four moves; trained on what an expert did."""

    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(6, 64)
        self.l2 = nn.Linear(64, 4)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, s):
        return self.softmax(self.l2(torch.relu(self.l1(s))))


expert = torch.randn(6, 4)
state = torch.randn(1200, 6)
action = (state @ expert + torch.tensor([1.0, 0.0, -1.0, -1.0])).argmax(1)
policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=2e-3)
for epoch in range(15):
    total = 0.0
    for i in torch.randperm(1000).split(50):
        prob = policy(state[i])
        loss = -torch.log(prob[torch.arange(len(i)), action[i]] + 1e-8).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print("epoch", epoch, "loss", total / 20)
same = (policy(state[1000:]).argmax(1) == action[1000:]).float().mean().item()
print("agrees with the expert", same)

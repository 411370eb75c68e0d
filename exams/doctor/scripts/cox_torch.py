import torch
from torch import nn
import parity

torch.set_num_threads(1)
gen = torch.Generator().manual_seed(11)
torch.manual_seed(11)
ROUNDS = 14
n = 240
age = 40 + 30 * torch.rand(n, generator=gen)
dose = torch.rand(n, generator=gen) * 5
marker = torch.randn(n, generator=gen)
features = torch.stack([age, dose, marker], 1)
features = (features - features.mean(0)) / features.std(0)
risk = 0.9 * features[:, 0] - 0.7 * features[:, 1] * features[:, 2]
event_time = -torch.log(torch.rand(n, generator=gen)) / risk.exp()
censor_time = 2 * torch.rand(n, generator=gen)
time = torch.minimum(event_time, censor_time)
observed = (event_time <= censor_time).float()

order = time.argsort(descending=True)     # the risk set of a row is all rows before it
features, time, observed = features[order], time[order], observed[order]

net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1, bias=False))
optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=5, line_search_fn="strong_wolfe")


def partial_likelihood(log_hazard, observed):
    log_risk = torch.logcumsumexp(log_hazard, 0)
    return -((log_hazard - log_risk) * observed).sum() / observed.sum()


def closure():
    optimizer.zero_grad()
    log_hazard = net(features).squeeze(1)
    loss = partial_likelihood(log_hazard, observed)
    loss = loss + 1e-3 * sum((p ** 2).sum() for p in net.parameters())
    loss.backward()
    return loss


with parity.doctor({"hazard": net}, {"lbfgs": optimizer}) as d:
    for step in range(ROUNDS):
        d.mark()
        loss = optimizer.step(closure)
        with torch.no_grad():
            score = net(features).squeeze(1)
            later = time[:, None] > time[None, :]
            pairs = later & (observed[None, :] > 0)
            concordance = (score[:, None] < score[None, :])[pairs].float().mean()
        print(step, loss.item(), concordance.item())
print(d)

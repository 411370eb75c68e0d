import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 8)
y = (x @ torch.randn(8) + 0.3 * torch.randn(400) > 0).float()
model = nn.Linear(8, 1)
opt = torch.optim.LBFGS(model.parameters(), max_iter=40, line_search_fn="strong_wolfe")
trace = []


def closure():
    opt.zero_grad()
    logits = model(x).squeeze(1)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, y) + 1e-3 * model.weight.square().sum()
    loss.backward()
    trace.append(loss.item())
    return loss


for call in range(3):        # the second and third calls find nothing more to do
    opt.step(closure)
    print("call", call, "evaluations", len(trace), "loss", trace[-1])
print("accuracy", ((model(x)[:, 0] > 0) == y.bool()).float().mean().item())

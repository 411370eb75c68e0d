"""Meta-Weight-Net: a small network learns the weight of each noisy example through a virtual step (second order)."""
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
import parity

torch.manual_seed(8)
torch.set_num_threads(1)
STEPS, LR = 20, 0.1
teacher = torch.randn(12, 3)
x_train, x_meta = torch.randn(2000, 12), torch.randn(200, 12)
y_clean, y_meta = (x_train @ teacher).argmax(1), (x_meta @ teacher).argmax(1)
noisy = torch.rand(2000) < 0.4
y_train = torch.where(noisy, torch.randint(0, 3, (2000,)), y_clean)

model = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 3))
weigher = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
meta_optimizer = torch.optim.Adam(weigher.parameters(), lr=3e-3)
losses = []


def weights_of(costs):
    w = weigher(costs.detach()[:, None]).squeeze(1)
    return w / w.sum().clamp(min=1e-6)


with parity.doctor({"model": model, "weigher": weigher}, {"sgd": optimizer, "meta": meta_optimizer}) as d:
    for step in range(STEPS):
        index = torch.randint(0, 2000, (64,))
        x, y = x_train[index], y_train[index]
        # 1. a virtual step of the model that depends on the weights
        params = dict(model.named_parameters())
        costs = F.cross_entropy(functional_call(model, params, (x,)), y, reduction="none")
        virtual = (weights_of(costs) * costs).sum()
        gradients = torch.autograd.grad(virtual, list(params.values()), create_graph=True)
        ahead = {name: p - LR * g for (name, p), g in zip(params.items(), gradients)}
        # 2. the weights are good if the clean data are fitted better after it
        meta_loss = F.cross_entropy(functional_call(model, ahead, (x_meta,)), y_meta)
        meta_optimizer.zero_grad()
        meta_loss.backward()
        meta_optimizer.step()
        # 3. the real step, with the new weights
        costs = F.cross_entropy(model(x), y, reduction="none")
        with torch.no_grad():
            w = weights_of(costs)
        optimizer.zero_grad()
        (w * costs).sum().backward()
        optimizer.step()
        losses.append(meta_loss.item())
print(d)

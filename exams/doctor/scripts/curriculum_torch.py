import torch
import torch.nn as nn

torch.manual_seed(0)
torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
opt = torch.optim.NAdam(net.parameters(), lr=4e-3)
ema = {k: v.clone() for k, v in net.state_dict().items()}


def f(x):
    return torch.sin(3 * x[:, :1]) * torch.cos(2 * x[:, 1:])


for stage, radius in enumerate([0.3, 0.8, 1.5, 2.0]):
    for it in range(350):
        x = (torch.rand(128, 2) * 2 - 1) * radius
        loss = nn.functional.l1_loss(net(x), f(x))
        net.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        for k, v in net.state_dict().items():
            ema[k].lerp_(v, 0.02)
    print(f"stage {stage} radius {radius} loss {loss.item():.4f}")

backup = {k: v.clone() for k, v in net.state_dict().items()}
net.load_state_dict(ema)
with torch.no_grad():
    g = (torch.rand(2000, 2) * 2 - 1) * 2.0
    err = nn.functional.l1_loss(net(g), f(g)).item()
net.load_state_dict(backup)
print("ema error", round(err, 4))

import torch
from torch import nn

torch.manual_seed(7)


def task(n, shift):
    x = torch.randn(n, 16)
    y = (x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] * x[:, 3] > shift).long()
    return x, y


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.head = nn.Linear(64, classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def fit(model, params, x, y, steps, lr):
    opt = torch.optim.Adam(params, lr=lr)
    for step in range(steps):
        i = torch.randint(0, len(x), (64,))
        loss = nn.functional.cross_entropy(model(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print("step", step, "loss", loss.item())
    return loss.item()


x, y = task(8000, 0.0)
pretrained = nn.DataParallel(Net(3))
fit(pretrained, pretrained.parameters(), x, y, 900, 3e-3)
checkpoint = {k: v.clone() for k, v in pretrained.state_dict().items()}

print("fine-tuning the head on few examples")
model = Net(3)
state = {k.replace("module.", ""): v for k, v in checkpoint.items() if "head" not in k}
model.load_state_dict(state, strict=False)
for p in model.backbone.parameters():
    p.requires_grad_(False)
xs, ys = task(200, 0.3)
fit(model, model.head.parameters(), xs, ys, 300, 1e-2)
xt, yt = task(1000, 0.3)
print("test accuracy", (model(xt).argmax(1) == yt).float().mean().item())

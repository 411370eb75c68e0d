import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()).eval()
for p in features.parameters():
    p.requires_grad = False

yy, xx = torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")
content = torch.stack([(xx > 12).float(), (yy > 12).float(), ((xx - 12) ** 2 + (yy - 12) ** 2 < 50).float()])[None]
style = torch.rand(1, 3, 24, 24).round()


def gram(f):
    _, c, h, w = f.shape
    f = f.view(c, h * w)
    return f @ f.t() / (c * h * w)


content_target = features(content).detach()
style_target = gram(features(style)).detach()
input_img = torch.rand_like(content).requires_grad_(True)
optimizer = torch.optim.LBFGS([input_img], max_iter=3)
for run in range(75):
    def closure():
        with torch.no_grad():
            input_img.clamp_(0, 1)
        optimizer.zero_grad()
        f = features(input_img)
        loss = 1000 * F.mse_loss(f, content_target) + 3000 * F.mse_loss(gram(f), style_target)
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    if run == 0 or run % 15 == 14:
        print("run", run + 1, "loss", loss.item())
with torch.no_grad():
    input_img.clamp_(0, 1)
print("final loss", round(F.mse_loss(features(input_img), content_target).item() * 1000, 4))

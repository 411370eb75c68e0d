import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
cnn = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU())
cnn.eval().requires_grad_(False)


def gram(f):
    b, c, h, w = f.shape
    f = f.view(c, h * w)
    return f @ f.t() / (c * h * w)


content = F.interpolate(torch.rand(1, 3, 6, 6), size=24, mode="bilinear")
style = (torch.arange(24) % 4 < 2).float().expand(1, 3, 24, 24)
with torch.no_grad():
    c_target = cnn(content)
    s_target = gram(cnn[:2](style)), gram(cnn(style))

img = content.clone().requires_grad_(True)
opt = torch.optim.LBFGS([img], max_iter=4, line_search_fn="strong_wolfe")
for step in range(20):
    def closure():
        opt.zero_grad()
        low = cnn[:2](img)
        high = cnn[2:](low)
        loss = F.mse_loss(high, c_target) + 1e6 * (F.mse_loss(gram(low), s_target[0]) + F.mse_loss(gram(high), s_target[1]))
        loss.backward()
        return loss
    loss = opt.step(closure)
    if step % 2 == 0:
        print(f"step {step} loss {loss.item():.5f}")
with torch.no_grad():
    img.clamp_(0, 1)

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
def cb(i, o): return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))
class UNet(nn.Module):
    def __init__(self): super().__init__(); self.a, self.b, self.u, self.c, self.o = cb(1, 8), cb(8, 16), nn.ConvTranspose2d(16, 8, 2, 2), cb(16, 8), nn.Conv2d(8, 2, 1)
    def forward(self, x): a = self.a(x); b = self.b(F.max_pool2d(a, 2)); return self.o(self.c(torch.cat([a, self.u(b)], 1)))
def batch(n=8):
    y = torch.zeros(n, 16, 16, dtype=torch.long)
    for i in range(n): r, c = torch.randint(0, 10, (2,)); y[i, r:r+6, c:c+6] = 1
    return y.float().unsqueeze(1) + 0.5 * torch.randn(n, 1, 16, 16), y
net = UNet(); opt = torch.optim.RMSprop(net.parameters(), 1e-3, momentum=0.9); sch = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, "max", patience=2)
for epoch in range(5):
    net.train()
    for _ in range(12):
        x, y = batch(); lo = net(x); p = lo.softmax(1)[:, 1]; dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        loss = F.cross_entropy(lo, y, weight=torch.tensor([0.3, 0.7])) + dice; opt.zero_grad(); loss.backward(); opt.step()
    net.eval()
    with torch.no_grad(): x, y = batch(16); iou = ((net(x).argmax(1) == 1) & (y == 1)).sum() / ((net(x).argmax(1) == 1) | (y == 1)).sum()
    sch.step(iou); print(epoch, loss.item(), iou.item())

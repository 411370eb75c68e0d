"""A convolutional net is pruned after a warm-up and trained on with fake quantisation (straight through)."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune
import parity

torch.manual_seed(10)
torch.set_num_threads(1)
STEPS = 24


class FakeQuant(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        q = torch.round(x / scale)
        ctx.save_for_backward(q.abs() <= 127)
        return q.clamp(-127, 127) * scale

    @staticmethod
    def backward(ctx, g):
        inside, = ctx.saved_tensors
        return g * inside, None


class QConv(nn.Conv2d):
    quantise = False

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.register_buffer("range", torch.zeros(()))

    def forward(self, x):
        if self.training:
            with torch.no_grad():                             # moving range of the activations
                self.range.mul_(0.9).add_(x.abs().max(), alpha=0.1)
        if not self.quantise:
            return super().forward(x)
        w = FakeQuant.apply(self.weight, self.weight.detach().abs().max() / 127 + 1e-8)
        x = FakeQuant.apply(x, self.range / 127 + 1e-8)
        return F.conv2d(x, w, self.bias, self.stride, self.padding)


shapes = torch.randn(5, 1, 14, 14)
net = nn.Sequential(QConv(1, 12, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU6(),
                    QConv(12, 24, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
                    nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 5))
convs = [m for m in net if isinstance(m, QConv)]
optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, momentum=0.5)
net.train()
losses = []
with parity.doctor(net, optimizer) as d:
    for step in range(STEPS):
        if step == STEPS // 3:
            prune.global_unstructured([(m, "weight") for m in convs], prune.L1Unstructured, amount=0.5)
        if step == STEPS // 2:
            for m in convs:
                m.quantise = True
        y = torch.randint(0, 5, (48,))
        x = shapes[y] + 0.7 * torch.randn(48, 1, 14, 14)
        loss = F.cross_entropy(net(x), y)
        net.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
for m in convs:
    prune.remove(m, "weight")
print(d)

"""A one stage detector of bright squares: focal loss, hardly any positive cell, deep supervision from two scales."""
import math
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
import parity

torch.manual_seed(3)
torch.set_num_threads(1)
EPOCHS = 2


class Squares(Dataset):
    def __init__(self, n=160):
        g = torch.Generator().manual_seed(0)
        self.images, self.boxes = 0.1 * torch.randn(n, 1, 32, 32, generator=g), []
        for image in self.images:
            if torch.rand((), generator=g) < 0.4:              # most images show nothing
                x, y = torch.randint(0, 25, (2,), generator=g).tolist()
                s = torch.randint(4, 8, (), generator=g).item()
                image[:, y:y + s, x:x + s] += 1.0
                self.boxes.append(torch.tensor([[x, y, s]]).float())
            else:
                self.boxes.append(torch.zeros(0, 3))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.boxes[i]


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.GroupNorm(4, o), nn.ReLU(True))
        self.c2, self.c3 = nn.Sequential(block(1, 16), block(16, 32)), block(32, 32)
        self.heads = nn.ModuleList(nn.Conv2d(32, 3 + 1, 3, padding=1) for _ in range(2))
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            nn.init.constant_(head.bias[:1], -math.log(0.99 / 0.01))   # prior of a positive: 1 %

    def forward(self, x):
        a = self.c2(x)
        return [self.heads[0](a), self.heads[1](self.c3(a))]


def collate(batch):
    return torch.stack([b[0] for b in batch]), [b[1] for b in batch]


def loss_of(out, boxes):
    stride = 32 // out.shape[-1]
    label, target = torch.zeros_like(out[:, 0]), torch.zeros_like(out[:, 1:])
    for i, found in enumerate(boxes):
        for x, y, s in found:
            cx, cy = x + s / 2, y + s / 2
            col, row = int(cx // stride), int(cy // stride)
            label[i, row, col] = 1
            target[i, :, row, col] = torch.stack([cx / stride - col, cy / stride - row, s.log()])
    p = out[:, 0].sigmoid()
    ce = F.binary_cross_entropy_with_logits(out[:, 0], label, reduction="none")
    focal = (torch.where(label > 0, 0.25 * (1 - p) ** 2, 0.75 * p ** 2) * ce).sum()
    positive = label > 0
    box = F.smooth_l1_loss(out[:, 1:].permute(0, 2, 3, 1)[positive], target.permute(0, 2, 3, 1)[positive], reduction="sum")
    return (focal + box) / positive.sum().clamp(min=1)


model = Detector()
loader = DataLoader(Squares(), batch_size=16, shuffle=True, collate_fn=collate)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4, nesterov=True)
warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.001, total_iters=10)
losses = []
with parity.doctor(model, optimizer) as d:
    for epoch in range(EPOCHS):
        for images, boxes in d.watch(loader):
            fine, coarse = model(images)
            loss = loss_of(fine, boxes) + 0.5 * loss_of(coarse, boxes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            warmup.step()
            losses.append(loss.item())
print(d)

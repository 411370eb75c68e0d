import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import parity

torch.manual_seed(6)
rng = np.random.default_rng(12)
centres = rng.normal(0, 1.5, (5, 10))
labels = rng.integers(0, 5, 160)
points = (centres[labels] + rng.normal(0, 0.5, (160, 10))).astype(np.float32)
points, labels = torch.from_numpy(points), torch.from_numpy(labels)


def mlp(width):
    return nn.Sequential(nn.Linear(10, width), nn.BatchNorm1d(width), nn.GELU(), nn.Linear(width, 5))


student = mlp(24)
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.AdamW(student.parameters(), lr=3e-3, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=8, gamma=0.5)


def augment(x):
    return x + 0.1 * torch.randn_like(x)


def ema(momentum=0.9):
    with torch.no_grad():
        for kept, new in zip(teacher.parameters(), student.parameters(), strict=True):
            kept.copy_(momentum * kept + (1 - momentum) * new)


with parity.doctor({"student": student, "teacher": teacher}, optimizer, expect=["frozen-network:teacher"]) as d:
    for epoch in range(2):
        order = torch.randperm(len(points))
        for start in range(0, len(points), 16):
            d.mark()
            chosen = order[start:start + 16]
            x, y = points[chosen], labels[chosen]
            out = student(augment(x))
            with torch.no_grad():
                soft = teacher(augment(x)).softmax(-1)
            consistency = F.kl_div(out.log_softmax(-1), soft, reduction="batchmean")
            loss = F.cross_entropy(out, y) + 0.5 * consistency
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            ema()
print(d)

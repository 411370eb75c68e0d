import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import parity

torch.manual_seed(1)
torch.set_num_threads(1)
EPOCHS = 3
concepts = torch.randn(400, 6)
to_pixels, to_words = torch.randn(6, 3 * 8 * 8), torch.randn(6, 10)
pictures = (concepts @ to_pixels + 0.3 * torch.randn(400, 192)).reshape(-1, 3, 8, 8)
words = (concepts @ to_words).topk(4).indices        # four "words" describe each picture


class ImageTower(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 4, stride=4)
        self.norm = nn.LayerNorm(32 * 4)
        self.proj = nn.Linear(32 * 4, dim, bias=False)

    def forward(self, x):
        return self.proj(self.norm(F.gelu(self.stem(x)).flatten(1)))


class TextTower(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embed = nn.Embedding(10, 32)
        self.mlp = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, dim, bias=False))

    def forward(self, t):
        return self.mlp(self.embed(t).mean(1))


class Clip(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.image, self.text = ImageTower(dim), TextTower(dim)
        self.logit_scale = nn.Parameter(torch.ones([]) * np.log(1 / 0.07))

    def forward(self, x, t):
        a = F.normalize(self.image(x), dim=-1)
        b = F.normalize(self.text(t), dim=-1)
        return self.logit_scale.exp() * a @ b.t()


clip = Clip()
decay = [p for p in clip.parameters() if p.ndim >= 2]
no_decay = [p for p in clip.parameters() if p.ndim < 2]
optim = torch.optim.AdamW([{"params": decay, "weight_decay": 0.2}, {"params": no_decay, "weight_decay": 0.0}],
                          lr=3e-3, betas=(0.9, 0.98), eps=1e-6)
with parity.doctor(clip, optim) as d:
    for epoch in range(EPOCHS):
        order = torch.randperm(400)
        losses = []
        for idx in d.watch(order.split(64)):
            logits = clip(pictures[idx], words[idx])
            target = torch.arange(len(idx))
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2
            optim.zero_grad()
            loss.backward()
            optim.step()
            with torch.no_grad():
                clip.logit_scale.clamp_(0, np.log(100))
            losses.append(loss.item())
        print(epoch, np.mean(losses), clip.logit_scale.item())
print(d)

"""Masked token model with tied embeddings, stochastic depth, checkpointing, accumulation, and an own Lion optimizer."""
import random
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
import parity

torch.manual_seed(4)
random.seed(4)
torch.set_num_threads(1)
STEPS, ACCUMULATE, VOCAB, MASK = 12, 2, 24, 23


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.sign(m * b1 + p.grad * (1 - b1)), alpha=-group["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


class Model(nn.Module):
    def __init__(self, dim=48, depth=4, length=16):
        super().__init__()
        self.tokens = nn.Embedding(VOCAB, dim)
        self.positions = nn.Parameter(torch.randn(length, dim) * 0.02)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(dim, 4, 96, 0.0, "gelu", batch_first=True, norm_first=True)
                                    for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, VOCAB)
        self.out.weight = self.tokens.weight
        nn.init.normal_(self.tokens.weight, std=0.1)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions
        for i, layer in enumerate(self.layers):
            if self.training and random.random() < 0.1 * i:            # stochastic depth: the layer is skipped
                continue
            x = checkpoint(layer, x, use_reentrant=False)
        return self.out(self.norm(x))


def batch(n=32):
    ids = (torch.randint(0, 20, (n, 1)) + torch.randint(1, 4, (n, 1)) * torch.arange(16)) % 20
    masked = torch.rand(ids.shape) < 0.2
    return ids.masked_fill(masked, MASK), ids.masked_fill(~masked, -100)


model = Model().train()
decay = [p for p in model.parameters() if p.dim() > 1]
plain = [p for p in model.parameters() if p.dim() < 2]
optimizer = Lion([{"params": decay, "weight_decay": 0.1}, {"params": plain}], lr=1e-3)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / 20))
losses = []
with parity.doctor([model], [optimizer]) as d:
    for step in range(STEPS):
        for _ in range(ACCUMULATE):
            ids, target = batch()
            loss = F.cross_entropy(model(ids).flatten(0, 1), target.flatten(), ignore_index=-100)
            (loss / ACCUMULATE).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append(loss.item())
print(d)

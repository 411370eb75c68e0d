import logging
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split

logging.basicConfig(level=logging.WARNING)


@dataclass
class Config:
    epochs: int = 6
    batch_size: int = 64
    lr: float = 3e-3
    warmup: int = 30
    clip: float = 1.0


class ResBlock(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
        nn.init.zeros_(self.fc2.weight)
        nn.init.zeros_(self.fc2.bias)

    def forward(self, x):
        return x + self.fc2(torch.nn.functional.gelu(self.fc1(self.norm(x))))


class Net(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.stem = nn.Linear(15, d)
        self.blocks = nn.Sequential(*[ResBlock(d) for _ in range(3)])
        self.head = nn.Linear(d, 1)
        nn.init.zeros_(self.head.weight)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x))).squeeze(-1)


class Trainer:
    def __init__(self, cfg, model, ds):
        self.cfg, self.model = cfg, model
        tr, va = random_split(ds, [0.8, 0.2])
        self.tr = DataLoader(tr, cfg.batch_size, shuffle=True)
        self.va = DataLoader(va, 256)
        self.opt = torch.optim.AdamW(model.parameters(), lr=cfg.lr)
        self.sched = torch.optim.lr_scheduler.LambdaLR(self.opt, lambda s: min(1.0, (s + 1) / cfg.warmup))

    def run(self):
        for e in range(self.cfg.epochs):
            self.model.train()
            for x, y in self.tr:
                loss = nn.functional.mse_loss(self.model(x), y)
                self.opt.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.clip)
                self.opt.step()
                self.sched.step()
            print(f"epoch {e} train {loss.item():.4f} R2 {self.r2():.4f}")

    @torch.inference_mode()
    def r2(self):
        self.model.eval()
        p, t = zip(*[(self.model(x), y) for x, y in self.va])
        p, t = torch.cat(p), torch.cat(t)
        return (1 - ((p - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()).item()


if __name__ == "__main__":
    torch.manual_seed(0)
    x = torch.randn(4000, 15)
    y = torch.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * torch.randn(4000)
    Trainer(Config(), Net(), TensorDataset(x, y)).run()

"""Tone classification: complex STFT with a learnable complex filter, channels-last CNN, gradient hooks, early stopping with restore."""
import copy
import math
import torch
from torch import nn
import torch.nn.functional as F
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
EPOCHS = 4
PATIENCE = 3


def tones(n, seed):
    g = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 4, (n,), generator=g)
    t = torch.arange(1024) / 8000
    freq = 400.0 * 2 ** label.float() * (1 + 0.1 * torch.rand(n, generator=g))
    wave = torch.sin(2 * math.pi * freq[:, None] * t + 6.28 * torch.rand(n, 1, generator=g))
    return wave * 0.1 + 0.15 * torch.randn(n, 1024, generator=g), label


class Spectral(nn.Module):
    def __init__(self, bins=65):
        super().__init__()
        self.filter = nn.Parameter(torch.ones(bins, 1, dtype=torch.cfloat))
        self.register_buffer("window", torch.hann_window(128))

    def forward(self, wave):
        z = torch.stft(wave, 128, hop_length=64, window=self.window, return_complex=True) * self.filter
        return torch.log1p(z.abs().square()).unsqueeze(1)


front = Spectral()
back = nn.Sequential(nn.Conv2d(1, 8, (5, 3), stride=(2, 1)), nn.GroupNorm(2, 8), nn.PReLU(), nn.AdaptiveAvgPool2d((8, 1)),
                     nn.Flatten(), nn.LazyLinear(4))
wave, label = tones(192, 1)
valid_wave, valid_label = tones(64, 2)
back(front(wave[:2]))  # shapes the lazy layer
back = back.to(memory_format=torch.channels_last)


def centralise(grad):
    return grad - grad.mean(dim=tuple(range(1, grad.ndim)), keepdim=True)


for p in back.parameters():
    if p.ndim > 1:
        p.register_hook(centralise)
activations = {}
back[0].register_forward_hook(lambda m, i, o: activations.update(conv=o.detach().std().item()))
optimizer = torch.optim.NAdam([{"params": front.parameters(), "lr": 1e-3}, {"params": back.parameters()}], lr=1e-2)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
best, best_state, stale, history = float("inf"), None, 0, []

with parity.doctor({"front": front, "back": back}, {"optimizer": optimizer}) as d:
    for epoch in range(EPOCHS):
        back.train()
        for index in d.watch(torch.randperm(192).split(32)):
            features = front(wave[index]).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(back(features), label[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        back.eval()
        with torch.inference_mode():
            score = F.cross_entropy(back(front(valid_wave)), valid_label).item()
        plateau.step(score)
        if score < best:
            best, stale = score, 0
            best_state = copy.deepcopy(back.state_dict())
        else:
            stale += 1
        if stale >= PATIENCE:
            break
    back.load_state_dict(best_state)
print(d)

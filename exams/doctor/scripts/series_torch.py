import math
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader
import parity

torch.set_num_threads(1)
torch.manual_seed(3)
EPOCHS = 3


class Waves(Dataset):
    def __init__(self, n=128, length=32, horizon=4):
        t = torch.arange(length + horizon).float()
        freq, phase = torch.rand(n, 1) * 0.4 + 0.2, torch.rand(n, 1) * 6.28
        self.series = torch.sin(freq * t + phase) + 0.05 * torch.randn(n, length + horizon)
        self.length = length

    def __len__(self):
        return len(self.series)

    def __getitem__(self, i):
        s = self.series[i]
        return s[:self.length, None], s[self.length:]


class PositionalEncoding(nn.Module):
    def __init__(self, dim, max_len=500):
        super().__init__()
        pos = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
        pe = torch.zeros(max_len, dim)
        pe[:, 0::2] = torch.sin(pos * div)
        pe[:, 1::2] = torch.cos(pos * div)
        self.register_buffer("pe", pe.unsqueeze(0))

    def forward(self, x):
        return x + self.pe[:, :x.size(1)]


class Forecaster(nn.Module):
    def __init__(self, dim=32, horizon=4):
        super().__init__()
        self.embed = nn.Linear(1, dim)
        self.pos = PositionalEncoding(dim)
        layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(dim, horizon)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.size(1))
        h = self.encoder(self.pos(self.embed(x)), mask=mask, is_causal=True)
        return self.head(h[:, -1])


net = Forecaster()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
warmup = 8
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min((s + 1) / warmup, (warmup / (s + 1)) ** 0.5))
loader = DataLoader(Waves(), batch_size=20, shuffle=True)
loss_fn = nn.HuberLoss()
with parity.doctor({"net": net}, {"opt": opt}) as d:
    for epoch in range(EPOCHS):
        total = 0
        for past, future in d.watch(loader):
            opt.zero_grad()
            pred = net(past)
            loss = loss_fn(pred, future)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            sched.step()
            total += loss.item()
        print(epoch, total / len(loader))
print(d)

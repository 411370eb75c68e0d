import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, Dataset

import parity

paddle.seed(1)
np.random.seed(1)


class Digits(Dataset):
    def __init__(self, count=96):
        super().__init__()
        patterns = (np.random.rand(6, 64) > 0.6).astype("float32")
        flips = np.random.rand(count, 64) < 0.05
        self.data = np.abs(patterns[np.arange(count) % 6] - flips).astype("float32")

    def __getitem__(self, idx):
        return self.data[idx]

    def __len__(self):
        return len(self.data)


class VAE(nn.Layer):
    def __init__(self, latent=4):
        super().__init__()
        self.fc1 = nn.Linear(64, 32)
        self.mu = nn.Linear(32, latent)
        self.logvar = nn.Linear(32, latent)
        self.fc2 = nn.Linear(latent, 32)
        self.out = nn.Linear(32, 64)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(F.relu(self.fc2(z)))

    def forward(self, x):
        mu, logvar = self.encode(x)
        std = paddle.exp(0.5 * logvar)
        z = mu + std * paddle.randn(std.shape)
        return self.decode(z), mu, logvar


def loss_function(logits, x, mu, logvar, beta):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]
    kld = -0.5 * paddle.sum(1 + logvar - mu ** 2 - logvar.exp()) / x.shape[0]
    return rec + beta * kld


model = VAE()
train_loader = DataLoader(Digits(), batch_size=16, shuffle=True, drop_last=True)
clip = nn.ClipGradByNorm(clip_norm=50.0)
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters(), grad_clip=clip)
step_id = 0

with parity.doctor(model, opt) as d:
    for epoch in range(3):
        model.train()
        epoch_loss = 0
        for x in d.watch(train_loader):
            beta = min(1.0, step_id / 10)
            logits, mu, logvar = model(x)
            loss = loss_function(logits, x, mu, logvar, beta)
            loss.backward()
            opt.step()
            opt.clear_grad()
            epoch_loss += float(loss)
            step_id += 1
print(d)

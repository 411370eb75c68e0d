"""Causal temporal convolutions with weight norm; quantile (pinball) loss; windows from a generator; scale by window."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
from paddle.io import IterableDataset, DataLoader
import parity

paddle.seed(0)
STEPS = 20
WINDOW, HORIZON = 48, 6
QUANTILES = paddle.to_tensor([0.1, 0.5, 0.9])


class Windows(IterableDataset):
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        rng = np.random.default_rng(7)
        t = np.arange(4000)
        series = 200 + 40 * np.sin(t / 6) + 25 * np.sin(t / 17) + 6 * rng.standard_normal(4000)
        for _ in range(self.count):
            i = rng.integers(0, 4000 - WINDOW - HORIZON)
            w = series[i:i + WINDOW + HORIZON].astype("float32")
            yield w[:WINDOW], w[WINDOW:]


class Causal(nn.Layer):
    def __init__(self, n_in, n_out, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.utils.weight_norm(nn.Conv1D(n_in, n_out, 3, dilation=dilation))
        self.skip = nn.Conv1D(n_in, n_out, 1) if n_in != n_out else None

    def forward(self, x):
        h = F.relu(self.conv(F.pad(x, [self.pad, 0], data_format="NCL")))
        return h + (x if self.skip is None else self.skip(x))


class Forecaster(nn.Layer):
    def __init__(self, width=24):
        super().__init__()
        self.blocks = nn.LayerList([Causal(1 if i == 0 else width, width, 2 ** i) for i in range(4)])
        self.out = nn.Linear(width, HORIZON * 3)

    def forward(self, series):
        centre = series.mean(axis=1, keepdim=True)
        scale = series.std(axis=1, keepdim=True) + 1e-3
        h = ((series - centre) / scale).unsqueeze(1)
        for block in self.blocks:
            h = block(h)
        q = self.out(h[:, :, -1]).reshape([-1, HORIZON, 3])
        return q * scale.unsqueeze(-1) + centre.unsqueeze(-1)


def pinball(prediction, target):
    error = target.unsqueeze(-1) - prediction
    return paddle.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean()


model = Forecaster()
lr = paddle.optimizer.lr.CyclicLR(base_learning_rate=1e-3, max_learning_rate=6e-3, step_size_up=8)
optimizer = paddle.optimizer.RMSProp(lr, parameters=model.parameters())
history = []
with parity.doctor(model, optimizer) as d:
    for past, future in d.watch(DataLoader(Windows(STEPS * 32), batch_size=32)):
        optimizer.clear_grad()
        loss = pinball(model(past), future)
        loss.backward()
        optimizer.step()
        lr.step()
        history.append(loss.item())
print(d)

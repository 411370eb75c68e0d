"""Healthy programs with dropout on, drawn at random: `python -m exams.verdicts.draws --count 500 --out FILE.json`.

Each is a stack of layers, each side's own, of a drawn order, width, batch and rate, in train mode, through `parity.compare` as the
command calls it (both lanes). Every verdict but `same` is a false alarm, and is printed with the number that draws it again.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import paddle
import torch

import parity
from parity.inputs import normal
from parity.port import Port

Layer = tuple[str, float]  # kind, rate

RANDOM = ("dropout", "function", "alpha", "residual", "drop path", "attention", "encoder", "lstm")
KINDS = ("linear", "norm", "gelu", "relu", "tanh", *RANDOM)


class Torch(torch.nn.Module):
    def __init__(self, width: int, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.kinds, nn = layers, torch.nn
        made = {"linear": lambda p: nn.Linear(width, width), "norm": lambda p: nn.LayerNorm(width), "gelu": lambda p: nn.GELU(),
                "relu": lambda p: nn.ReLU(), "tanh": lambda p: nn.Tanh(), "dropout": nn.Dropout, "alpha": nn.AlphaDropout,
                "residual": lambda p: nn.Sequential(nn.Linear(width, width), nn.Dropout(p)),
                "encoder": lambda p: nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=p, batch_first=True),
                "lstm": lambda p: nn.LSTM(width, width, 2, dropout=p, batch_first=True)}
        self.parts = nn.ModuleList([made.get(kind, lambda p: nn.Linear(width, width))(p) for kind, p in layers])

    def forward(self, x):
        F = torch.nn.functional
        for (kind, p), part in zip(self.kinds, self.parts, strict=True):
            if kind == "residual":
                x = x + part(x)
            elif kind == "lstm":
                x, _ = part(x)
            elif kind == "function":
                x = F.dropout(part(x), p, self.training)
            elif kind == "drop path":
                kept = (torch.rand(x.shape[0], 1, 1) >= p).to(x.dtype)
                x = x + part(x) * kept / (1 - p)
            elif kind == "attention":
                y = part(x)
                weights = F.dropout(torch.softmax(y @ y.transpose(1, 2) / 4, -1), p, self.training)
                x = x + weights @ y
            else:
                x = part(x)
        return x


class Paddle(paddle.nn.Layer):
    def __init__(self, width: int, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.kinds, nn = layers, paddle.nn
        made = {"linear": lambda p: nn.Linear(width, width), "norm": lambda p: nn.LayerNorm(width), "gelu": lambda p: nn.GELU(),
                "relu": lambda p: nn.ReLU(), "tanh": lambda p: nn.Tanh(), "dropout": nn.Dropout, "alpha": nn.AlphaDropout,
                "residual": lambda p: nn.Sequential(nn.Linear(width, width), nn.Dropout(p)),
                "encoder": lambda p: nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=p),
                "lstm": lambda p: nn.LSTM(width, width, 2, dropout=p)}
        self.parts = nn.LayerList([made.get(kind, lambda p: nn.Linear(width, width))(p) for kind, p in layers])

    def forward(self, x):
        F = paddle.nn.functional
        for (kind, p), part in zip(self.kinds, self.parts, strict=True):
            if kind == "residual":
                x = x + part(x)
            elif kind == "lstm":
                x, _ = part(x)
            elif kind == "function":
                x = F.dropout(part(x), p, training=self.training)
            elif kind == "drop path":
                kept = (paddle.rand([x.shape[0], 1, 1]) >= p).astype(x.dtype)
                x = x + part(x) * kept / (1 - p)
            elif kind == "attention":
                y = part(x)
                weights = F.dropout(F.softmax(y @ y.transpose([0, 2, 1]) / 4, -1), p, training=self.training)
                x = x + weights @ y
            else:
                x = part(x)
        return x


def drawn(number: int) -> tuple[list[Layer], Port]:
    """The layers of the pair of that number, and the pair."""
    rng = np.random.default_rng([14, number])
    kinds = [str(kind) for kind in rng.choice(KINDS, rng.integers(1, 6))] + [str(rng.choice(RANDOM))]
    rng.shuffle(kinds)
    layers = [(kind, float(np.round(rng.uniform(0.05, 0.8), 2))) for kind in kinds]
    batch, time_, width = (int(n) for n in (rng.integers(2, 6), rng.integers(2, 7), 2 * rng.integers(2, 7)))
    scale = float(10 ** rng.uniform(-2, 2))
    fed = normal(batch, time_, width, scale=scale)
    return layers, Port(lambda: Torch(width, layers), lambda: Paddle(width, layers), inputs=[fed], modes=["train"], seed=number)


def verdict_of(port: Port) -> tuple[str, str]:
    """What `parity.compare` says to the pair, and the first divergence; what it raises is a crash."""
    try:
        summary = parity.compare(port)
    except Exception as error:
        return "crash", f"{type(error).__name__}: {error}"
    return summary.verdict, str(summary.headline or "")


@click.command(help=__doc__)
@click.option("--count", type=click.IntRange(1), default=500, show_default=True)
@click.option("--start", type=click.IntRange(0), default=0, help="The number of the first.")
@click.option("--seconds", type=click.FloatRange(0), default=float("inf"), help="Stop after so long.")
@click.option("--out", metavar="FILE", help="What came of it, for `exams.verdicts.run --draws FILE`; added to what is there.")
def main(count: int, start: int, seconds: float, out: str | None) -> None:
    warnings.simplefilter("ignore")
    came: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    began = time.monotonic()
    for number in range(start, start + count):
        if time.monotonic() - began > seconds:
            break
        layers, port = drawn(number)
        verdict, why = verdict_of(port)
        came[verdict] += 1
        kinds.update({kind for kind, _ in layers if kind in RANDOM})
        if verdict != "same":
            click.echo(f"{number}: {verdict} {layers} {why[:500]}")
    click.echo(f"{came.total()} draws in {time.monotonic() - began:.0f} s: {dict(came)}", err=True)
    if out:
        known: dict[str, Any] = json.loads(Path(out).read_text()) if Path(out).exists() else {"verdicts": {}, "kinds": {}}
        told = {"verdicts": came + Counter(known["verdicts"]), "kinds": kinds + Counter(known["kinds"])}
        Path(out).write_text(json.dumps(told, indent=1), encoding="utf-8")
    sys.exit(came.total() != came["same"])


if __name__ == "__main__":
    main()

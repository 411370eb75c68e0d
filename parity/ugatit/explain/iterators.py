"""The iterator trap of the 2020 write-up, and its modern relatives: optimizers that do not hold what the model trains.

"If an iterator of parameters is handed to Adam, the loss does not fall." A toy of two networks, an encoder and a decoder,
fits random targets; each case hands its parameters to one optimizer in another way. Nothing is wrong in any forward or
backward, and only the exhausted iterator raises an error: only a census of the optimizer tells.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import paddle
from paddle import nn

from parity.messages import say

ON_1_8_5 = say("Paddle 1.8.5, an iterator handed to Adam with weight decay: no error, and no update ever; the constructor's check "
               "of the regularisers uses the iterator up. Without weight decay only the first step updates.")
"""Measured once on paddlepaddle 1.8.5 (CPU, Python 3.7), where this project cannot run."""

STEPS, SAMPLES, WIDTH = 300, 32, 16


def _exhausted(encoder: Any, decoder: Any) -> Any:
    parameters = chain(encoder.parameters(), decoder.parameters())
    list(parameters)  # somebody counts or prints them first
    return parameters


def _both(encoder: Any, decoder: Any) -> list[Any]:
    return [*encoder.parameters(), *decoder.parameters()]


CASES: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "list": (say("a list of both networks' parameters"), _both),
    "chain": (say("itertools.chain of both"), lambda e, d: chain(e.parameters(), d.parameters())),
    "generator": (say("a generator over both"), lambda e, d: (p for network in (e, d) for p in network.parameters())),
    "exhausted": (say("an iterator that was counted before"), _exhausted),
    "one_network": (say("the parameters of the decoder only"), lambda e, d: d.parameters()),
    "deepcopy": (say("the parameters of deep copies of both"),
                 lambda e, d: [p for n in (e, d) for p in copy.deepcopy(n).parameters()]),
    "replaced": (say("a list of both, and then the weight of each Linear is replaced"), _both),
}


def run() -> list[dict]:
    """Each case: "case", "what", "first" and "last" loss, "moved": how many of the parameters moved, of "parameters", "error"."""
    return [{"case": name, "what": what, **_trained(name, hand_over)} for name, (what, hand_over) in CASES.items()]


def _trained(name: str, hand_over: Callable[[Any, Any], Any]) -> dict:
    rng = np.random.default_rng(2020)
    x, y = (paddle.to_tensor(rng.standard_normal(shape).astype(np.float32)) for shape in ((SAMPLES, WIDTH), (SAMPLES, 2)))
    encoder, decoder = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh()), nn.Linear(WIDTH, 2)
    for network in (encoder, decoder):
        for parameter in network.parameters():
            parameter.set_value((rng.standard_normal(parameter.shape) / 2).astype(np.float32))
    try:
        optimizer = paddle.optimizer.Adam(0.01, parameters=hand_over(encoder, decoder), weight_decay=1e-4)
    except Exception as error:  # what Paddle says to it is the finding
        return {"first": None, "last": None, "moved": 0, "parameters": 4, "error": f"{type(error).__name__}: {error}"}
    if name == "replaced":
        for layer in (encoder[0], decoder):  # by the same values: a loading or a tying of weights does that
            same = nn.initializer.Assign(layer.weight.numpy())
            layer.weight = layer.create_parameter(layer.weight.shape, default_initializer=same)
    trained = [*encoder.parameters(), *decoder.parameters()]
    before, losses = [p.numpy() for p in trained], []
    for _ in range(STEPS):
        loss = paddle.square(decoder(encoder(x)) - y).mean()
        loss.backward()
        optimizer.step()
        for parameter in trained:
            parameter.clear_grad()
        losses.append(float(loss))
    moved = sum(not np.array_equal(old, p.numpy()) for old, p in zip(before, trained, strict=True))
    return {"first": losses[0], "last": losses[-1], "moved": moved, "parameters": len(trained), "error": None}

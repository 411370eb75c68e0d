"""Where every run of the explanation begins: the weights and pictures with which the real port of 2020 was recorded.

The real port (paddlepaddle 1.8.5, CPU) and the official code were run side by side once, ten and a hundred steps, from
`torch.manual_seed(2020)` and four generated pictures of each domain. `port2020.npz` holds what cannot be made again
here: the pictures, the vectors from which the port's spectral norm started, and the losses that those runs wrote down
(tests/fixtures/make_explain_port2020.py).
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

import torch_ref
from parity.declare.pair import Subject, TrainingSubject
from parity.ugatit import subjects as ugatit

RECORDED = Path(__file__).with_name("port2020.npz")
CALLS = 5  # forwards in a row of a discriminator: what its spectral norm does shows from the second on


@dataclass(frozen=True)
class Start:
    """Sizes and seed. The defaults are those of the recorded runs; `size` crops the pictures (128 at most)."""

    ngf: int = 4
    n_blocks: int = 4
    size: int = 128
    light: bool = False
    ndf: int = 4
    seed: int = 2020

    @property
    def sizes(self) -> ugatit.Sizes:
        return ugatit.Sizes(self.ngf, self.n_blocks, self.size, self.light, self.ndf)

    @property
    def is_recorded(self) -> bool:
        """Whether the real port was run from here, so that its recorded losses may stand beside these runs."""
        return self == Start()

    def to_json(self) -> dict:
        return asdict(self)


@functools.lru_cache(maxsize=1)
def recorded() -> dict[str, np.ndarray]:
    """"A", "B": pictures, uint8 (4, 3, 128, 128). "port_u/NETWORK/LAYER": start vectors of the port's spectral norm, float32.
    "cam/RUN" (100): the sum of the four CAM losses of the generators; "D_loss/RUN", "G_loss/RUN" (10); RUN: official, port,
    port_repaired (float32), official_float64, nine_faults_float64 (the official code with the nine faults built in)."""
    with np.load(RECORDED, allow_pickle=False) as file:
        return dict(file)


@functools.lru_cache(maxsize=4)
def weights(start: Start) -> dict[str, dict[str, np.ndarray]]:
    """Network -> its official initial state, float32, as `torch.manual_seed(seed)` gives it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(start.seed)
        networks = torch_ref.Training(start.ngf, start.n_blocks, start.size, start.light, start.ndf, device="cpu").networks
    return {name: {key: value.numpy().copy() for key, value in network.state_dict().items()}
            for name, network in networks.items()}


def pictures(start: Start, domain: str) -> np.ndarray:
    """The four pictures of a domain, float32 (4, 3, size, size) in [-1, 1]; another seed than 2020 has its own."""
    if start.seed != Start.seed:
        return np.concatenate([ugatit.picture(f"{domain}{number}", start.seed, start.size) for number in range(4)])
    pixels = recorded()[domain][:, :, :start.size, :start.size].astype(np.float32)
    return (pixels / 255 - np.float32(0.5)) / np.float32(0.5)


def batch(start: Start, step: int) -> dict[str, np.ndarray]:
    """What step number `step` (from 1) sees: one picture of each domain, the four in turn."""
    at = (step - 1) % 4
    return {f"real_{domain}": pictures(start, domain)[at:at + 1] for domain in "AB"}


def training(start: Start) -> TrainingSubject:
    """The two training programs from this start."""
    return ugatit.training(start.sizes, seed=start.seed, states=weights(start), images=lambda step: batch(start, step))


def network(start: Start, name: str) -> Subject:
    """One network from this start, in training mode, on the first picture of its domain."""
    images = {domain: pictures(start, domain)[:1] for domain in "AB"}
    return next(ugatit.networks(start.sizes, images, weights(start), names=(name,), seed=start.seed,
                                calls=CALLS if name.startswith("dis") else 1))


def start_vector(network: str, layer: str, length: int, seed: int) -> np.ndarray:
    """Where the power iteration of a convolution begins when a fault makes its u another length: the port's own vector."""
    held = recorded().get(f"port_u/{network}/{layer}")
    if held is not None and held.size == length:
        return held
    draw = np.random.default_rng([seed, length]).standard_normal(length).astype(np.float32)
    return draw / np.linalg.norm(draw)

"""Trainings for the doctor to watch."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch

import parity
from exams.doctor.sitting import Sitting, builder
from parity.doctor.examine import examine


def diagnosis(sitting: Sitting, iterations: int = 20, seed: int = 0):
    with sitting.in_place():
        return examine(builder(sitting, seed), iterations=iterations, source=sitting.source, expect=sitting.expect)


def train(sitting: Sitting, steps: int, watched: bool) -> list[bytes]:
    """Weights, buffers, gradients and losses, as bytes, of a training with or without the doctor."""
    taken, d = trained(sitting, steps, watched)
    assert not watched or len(d._watch.iterations) == steps
    return taken


def trained(sitting: Sitting, steps: int, watched: bool) -> tuple[list[bytes], object]:
    """The same, and the doctor, if there is one."""
    with sitting.in_place():
        step = builder(sitting)()
        training = next(cell.cell_contents for cell in step.__closure__ if hasattr(cell.cell_contents, "networks"))
        optimizers = {name: value for name, value in vars(training).items() if name.endswith(("optim", "second"))}
        taken = []

        def run():
            for _ in range(steps):
                taken.extend(np.asarray(loss.numpy()).tobytes() for loss in step().values())

        d = parity.doctor(training.networks, optimizers, source=sitting.source) if watched else nullcontext()
        with d:
            run()
        for network in training.networks.values():
            taken += [value.numpy().tobytes() for _, value in sorted(network.state_dict().items())]
            taken += [p.grad.numpy().tobytes() for p in network.parameters() if p.grad is not None]
    return taken, d


def ids(models, optimizers, step, iterations=3, **options):
    """What is said of a torch training of so many steps."""
    with parity.doctor(models, optimizers, **options) as d:
        for _ in range(iterations):
            d.mark()
            step()
    return {found.id for found in d.findings}


def training_of(net, optimizer, loss=lambda out: out.square().mean(), width=4):
    rng = np.random.default_rng(0)

    def step():
        x = torch.tensor(rng.standard_normal((8, width)), dtype=torch.float32)
        optimizer.zero_grad()
        loss(net(x)).backward()
        optimizer.step()

    return step

"""What one version of the twin does: the losses of its training, its first update; or how many values differ.

Each is made in a process of its own, so all that these functions return are numbers, texts, lists and dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.blame import in_words
from parity.declare.pair import TrainingSubject
from parity.declare.port import Port
from parity.numbers.noise import DRAWS
from parity.steps.programs import Programs
from parity.steps.reference import reference_steps
from parity.steps.runner import is_total
from parity.trace.events import Event

Losses = dict[str, list[float]]


def course(training: TrainingSubject, steps: int) -> dict[str, Any]:
    """Reference and twin in float64, each going its own way. "reference", "twin": losses by name, step by step. "cosines": network
    -> of the first updates of the two. "failure": what the twin raised, or None; its losses end there."""
    both = Programs(training, "float64")
    both.load(0, both.start)
    both.load(1, both.for_twin(both.start))
    losses: tuple[Losses, Losses] = {}, {}
    updates = Updates(), Updates()
    failure = None
    for step in range(1, steps + 1):
        batch = both.batch(step)
        for side in (0, 1):
            if side and failure is not None:
                continue
            try:
                found = both.step(side, step, batch, updates[side] if step == 1 else Updates(), bare=True)
            except Exception as error:  # the twin is a faulty program: anything may come
                if not side:
                    raise
                failure = in_words(error)
                continue
            for name, loss in found.items():
                losses[side].setdefault(name, []).append(loss)
    return {"reference": losses[0], "twin": losses[1], "cosines": updates[0].cosines(updates[1]), "failure": failure}


def noise(training: TrainingSubject, lane: str, steps: int, draws: int = DRAWS) -> dict[str, Any]:
    """What rounding alone does to the losses of the reference. "reference", "envelope": by name, step by step."""
    both = Programs(training, lane)
    both.let_go(1)
    reference: Losses = {}
    envelope: Losses = {}
    for step in reference_steps(both, steps, "free", draws, 1, lambda number, what: None):
        for name, loss in step.store.losses.items():
            reference.setdefault(name, []).append(loss)
            envelope.setdefault(name, []).append(max(abs(drawn[name] - loss) for drawn in step.drawn))
    return {"reference": reference, "envelope": envelope}


def differing(port: Port) -> dict[str, Any]:
    """Of one forward and backward. "values": the names of those that differ as both feed themselves; "compared": of how many."""
    import parity
    summary = parity.compare(port, lanes=["float64"], quick=True)
    return {"values": sorted({finding.id for finding in summary.merged.diverged if finding.run == "free"}),
            "compared": summary.merged.compared}


class Updates:
    """A sink for the changes of the parameters in one step."""

    keeps = False

    def __init__(self) -> None:
        self.apart: set[str] = set()
        self.losses: dict[str, float] = {}
        self.clips: dict[str, tuple] | None = None
        self._changes: dict[str, dict[str, np.ndarray]] = {}

    def receive(self, event: Event) -> None:
        key = event.key
        if key.stage == "update" and event.norm and event.array is not None:
            held = self._changes.setdefault(key.module.partition(".")[0], {})
            name = f"{key.module}.{key.variable}"
            held[name] = event.array + held[name] if name in held else event.array.copy()

    def cosines(self, other: Updates) -> Mapping[str, float]:
        """Network -> of its update here and there; of a parameter that one alone updates the other's is nothing."""
        return {network: _cosine(held, other._changes.get(network, {})) for network, held in self._changes.items()}


def _cosine(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> float:
    product = sum(float(np.vdot(array, other[name])) for name, array in one.items()
                  if name in other and other[name].shape == array.shape)
    sizes = [np.sqrt(sum(float(np.vdot(array, array)) for array in held.values())) for held in (one, other)]
    return product / float(sizes[0] * sizes[1]) if all(sizes) else float(not any(sizes))


def totals(losses: Mapping[str, Any]) -> list[str]:
    """The losses that are trained on; all where none is known to be a sum."""
    return [name for name in losses if is_total(name)] or list(losses)

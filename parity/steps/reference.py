"""The reference's steps: their values, and what rounding does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.declare.pair import TrainingSubject
from parity.numbers.noise import DRAWS, generator
from parity.steps.programs import Programs
from parity.steps.state import moved
from parity.trace.events import Key
from parity.verdict.judge import floors_of
from parity.verdict.sinks import Distances, Store

MODES = ("free", "resync")
Progress = Callable[[int, str], None]


@dataclass(frozen=True)
class ReferenceStep:
    """One recorded step of the reference: its values, their floors, the losses of the noise draws, what it started from."""

    number: int
    batch: Mapping[str, np.ndarray]
    store: Store
    floors: Mapping[Key, float]
    drawn: list[dict[str, float]]
    before: Mapping[str, Any]


def record_reference(subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64",
                     draws: int = DRAWS) -> list[ReferenceStep]:
    """The reference's steps and floors, kept in memory, for several twins to be held against."""
    return list(reference_steps(Programs(subject, lane), steps, mode, draws, 1, lambda step, what: None))


def reference_steps(both: Programs, steps: int, mode: str, draws: int, floor_every: int, tell: Progress,
                     new_store: Callable[[int], Store] = lambda number: Store()) -> Iterator[ReferenceStep]:
    """In free mode the draws go their own ways from one ulp beside the start; in resync mode each step draws anew."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {MODES}: {mode!r}")
    seed, dtype = both.subject.seed, np.dtype(both.lane).type
    state, carried = both.start, {}
    noisy = [moved(state, seed, draw) for draw in range(draws)]
    for step in range(1, steps + 1):
        batch = both.batch(step)
        tell(step, "reference")
        store = new_store(step)
        both.load(0, state)
        both.step(0, step, batch, store, measure=True)
        store.close()
        before, state = state, both.state(0)
        if mode == "free":
            noise, drawn = Distances(store), []
            for draw in range(draws):
                tell(step, f"noise draw {draw + 1}")
                both.load(0, noisy[draw])
                drawn.append(both.step(0, step, batch, noise, rounding=_rounding_seed(step, draw)))
                noisy[draw] = both.state(0)
        else:
            fresh = step <= 2 or step % floor_every == 0
            noise, drawn = replayed_draws(both, step, batch, store, before, draws if fresh else 0, tell)
        floors = floors_of(store, noise, dtype)
        if mode == "resync":
            _carry_over(store, noise, floors, carried)
        yield ReferenceStep(step, batch, store, floors, drawn, before)


def _rounding_seed(step: int, draw: int) -> int:
    return 1 + draw + 1000 * step


def replayed_draws(both: Programs, step: int, batch: Mapping[str, np.ndarray], store: Store, before: Mapping[str, Any],
                    draws: int, tell: Progress) -> tuple[Distances, list[dict[str, float]]]:
    """The noise of one step alone, and the losses of each draw: from one ulp beside its start, with the stored values to go on."""
    noise, drawn, seed = Distances(store), [], both.subject.seed
    for draw in range(draws):
        tell(step, f"noise draw {draw + 1}")
        both.load(0, moved(before, seed, step, draw))
        replayed = store.replayed(generator("replay", seed, step, draw))
        drawn.append(both.step(0, step, batch, noise, rounding=_rounding_seed(step, draw), replayed=replayed))
    return noise, drawn


def _carry_over(store: Store, noise: Distances, floors: dict[Key, float], carried: dict[Key, float]) -> None:
    """Floors of steps without draws: the largest seen so far, relative to the size of their values."""
    for key, distance in noise.largest.items():
        scale, alike = store.events[key].scale, key._replace(step=0)
        carried[alike] = max(carried.get(alike, 0.0), distance / scale if scale else 0.0)
    for key, event in store.events.items():
        floors[key] = max(floors[key], carried.get(key._replace(step=0), 0.0) * event.scale)

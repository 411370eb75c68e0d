"""The reference's steps: their values, and what rounding does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity import asked
from parity.blame import is_users
from parity.declare.pair import TrainingSubject
from parity.frameworks.lifting import Lifted
from parity.numbers.noise import DRAWS, generator
from parity.steps.programs import Programs
from parity.steps.remembered import Remembered
from parity.steps.state import moved
from parity.trace.events import Key, Sink
from parity.trace.randomness import Tape
from parity.verdict.floors import Carried, Draw, measure
from parity.verdict.sinks import Store

Progress = Callable[[int, str], None]


@dataclass(frozen=True)
class ReferenceStep:
    """One recorded step of the reference: its values, their floors, the losses of the noise draws, what it started from, and the
    random numbers that it drew. lifted: it runs in float64 only with what it names float32 lifted. remembered: what it kept beside
    weights at its end, of a free run that is no recording."""

    number: int
    batch: Mapping[str, np.ndarray]
    store: Store
    floors: Mapping[Key, float]
    drawn: list[dict[str, float]]
    before: Mapping[str, Any]
    tape: Tape
    lifted: bool = False
    remembered: Remembered | None = None


def record_reference(subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64",
                     draws: int = DRAWS) -> list[ReferenceStep]:
    """The reference's steps and floors, kept in memory, for several twins to be held against."""
    lane = asked.lane(lane)
    asked.following(steps=steps, mode=mode, draws=draws, floor_every=1)
    return list(reference_steps(Programs(subject, lane), steps, mode, draws, 1, lambda step, what: None))


def reference_steps(both: Programs, steps: int, mode: str, draws: int, floor_every: int, tell: Progress,
                     new_store: Callable[[int], Store] = lambda number: Store()) -> Iterator[ReferenceStep]:
    """In free mode the draws go their own ways from one ulp beside the start; in resync mode each step draws anew."""
    seed, state, carried = both.subject.seed, both.start, Carried()
    noisy = [moved(state, seed, draw) for draw in range(draws)]
    for step in range(1, steps + 1):
        batch = both.batch(step)
        tell(step, "reference")
        store = _made(both, step, batch, state, new_store)
        before, state, remembered = state, both.state(0), None
        if mode == "free":
            drawn: list[dict[str, float]] = []

            def again(sink: Sink, draw: Draw, step=step, batch=batch, drawn=drawn, before=before) -> None:
                tell(step, f"noise draw {draw.number + 1}")
                both.load(0, noisy[draw.number] if draw.rounding else moved(before, seed, draw.number))
                losses = both.step(0, step, batch, sink, rounding=_rounding_seed(step, draw))
                if draw.rounding:
                    drawn.append(losses)
                    noisy[draw.number] = both.state(0)

            floors = measure(again, store, both.lane, truth_lane=both.lane, draws=draws)
            remembered = Remembered(both.remembered(0, state), both.lane)
            for one in noisy:
                remembered.drawn(both.remembered(0, one))
        else:
            fresh = step <= 2 or step % floor_every == 0
            floors, drawn = floors_alone(both, step, batch, store, before, draws if fresh else 0, tell, carried)
        yield ReferenceStep(step, batch, store, floors, drawn, before, both.tape(step), both.lifted is not None, remembered)


def _made(both: Programs, step: int, batch: Mapping[str, np.ndarray], state: Mapping[str, Any],
          new_store: Callable[[int], Store]) -> Store:
    """The reference's step. One that raises in float64 is made with float32 lifted, as then are all that follow."""
    def made() -> Store:
        store = new_store(step)
        both.load(0, state)
        try:
            both.step(0, step, batch, store, measure=True)
        except BaseException:
            store.discard()
            raise
        store.close()
        return store

    try:
        return made()
    except Exception as error:
        if both.lane != "float64" or both.lifted is not None or not is_users(error, both.sources[0]):
            raise
        both.lifted = Lifted()
        both.go_by(step, Tape(both.subject.seed, step))  # without what was drawn before it raised
        store = made()
        if not both.lifted.count:  # it is another time that makes it run
            raise
        return store


def floors_alone(both: Programs, step: int, batch: Mapping[str, np.ndarray], store: Store, before: Mapping[str, Any], draws: int,
                 tell: Progress, carried: Carried | None = None,
                 remembered: Remembered | None = None) -> tuple[dict[Key, float], list[dict[str, float]]]:
    """The floors of one step alone, and the losses of each draw: from one ulp beside its start, with the stored values to go on.
    remembered: what it keeps beside weights at its end, which is told what the draws keep."""
    drawn, seed = [], both.subject.seed

    def again(sink: Sink, draw: Draw) -> None:
        tell(step, f"noise draw {draw.number + 1}")
        both.load(0, moved(before, seed, step, draw.number))
        replayed = store.replayed(generator("replay", seed, step, draw.number))
        drawn.append(both.step(0, step, batch, sink, rounding=_rounding_seed(step, draw), replayed=replayed))
        if remembered is not None:
            remembered.drawn(both.remembered(0))

    return measure(again, store, both.lane, truth_lane=both.lane, draws=draws, carried=carried), drawn


def _rounding_seed(step: int, draw: Draw) -> int | None:
    return 1 + draw.number + 1000 * step if draw.rounding else None

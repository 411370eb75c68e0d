"""Trainings of any pair, followed in one lane after the other, recorded, and read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

from parity import asked, differences
from parity.blame import hand_on, refusing
from parity.declare.pair import TrainingSubject
from parity.files import InputError
from parity.recordings.format import RecordingError
from parity.steps.follow import follow
from parity.steps.reference import ReferenceStep
from parity.steps.result import StepsReport
from parity.steps.stored import record_to, recorded_in

Progress = Callable[[str, int, str, Mapping[str, float]], None]
"""Called with the lane, the step, what runs ("reference", "noise draw 2", "twin") and the total losses last seen."""


@dataclass(frozen=True)
class Followed:
    """One lane, followed to its end, and the seconds that it took."""

    subject: TrainingSubject
    result: StepsReport
    seconds: float

    @property
    def lane(self) -> str:
        return self.result.lane


def run(training: TrainingSubject, *, lanes: Iterable[str], progress: Progress = lambda *told: None,
        **options: Any) -> Iterator[Followed]:
    """Follow the training in one lane after the other. options: as for `parity.steps.follow.follow`.

    Raises NothingCompared, InputError (a picture cannot be read, or the reference cannot run).
    """
    for lane in asked.lanes(lanes):
        started, losses = time.perf_counter(), {}
        heard = with_changes(training, reference=_telling(training.reference, losses.update),
                             twin=_telling(training.twin, losses.update))
        with refusing(training.name, training.pair.reference_source):
            result = follow(heard, lane=lane, differences=differences.ALL, **options,
                            progress=lambda step, what, lane=lane, losses=losses: progress(lane, step, what, losses))
        result.verdict  # noqa: B018 (raises NothingCompared)
        yield Followed(training, result, time.perf_counter() - started)


def record(folder: str | Path, training: TrainingSubject, **options: Any) -> None:
    """The reference's steps into an empty folder. options: as for `parity.steps.stored.record_to`. Raises InputError."""
    try:
        with refusing(training.name, training.pair.reference_source):
            record_to(Path(folder), training, **options)
    except (RecordingError, OSError) as error:
        raise InputError(f"--record: {error}") from error


def recording_of(folder: str | Path, training: TrainingSubject) -> tuple[str, str, int, Iterable[ReferenceStep]]:
    """(lane, mode, number of steps, the steps) of a recorded folder. Raises InputError where it is none, or another run's."""
    try:
        index, recorded = recorded_in(Path(folder), training)
    except RecordingError as error:
        raise InputError(f"--against: {error}") from error
    return index["lane"], index["mode"], index["steps"], recorded


def _telling(build: Callable[[str], Any], tell: Callable[[Mapping[str, float]], None]) -> Callable[[str], Any]:
    """The same program, which tells its total losses after each step."""
    def built(dtype: str) -> Any:
        program = build(dtype)
        step = program.step

        def told(*arguments: Any) -> Mapping[str, Any]:
            losses = hand_on(step, *arguments)
            tell({name: loss.item() for name, loss in losses.items() if is_total(name)})
            return losses

        program.step = told
        return program

    return built


def is_total(loss: str) -> bool:
    """Whether a loss is a sum that is trained on ("G_loss"), not a term of one ("G/A/cycle")."""
    return "/" not in loss

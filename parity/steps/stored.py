"""The reference's steps in a folder, in the one format of recordings (`parity.recordings.format`), written and read.

So two frameworks that do not fit into one process (or one memory) can be compared. step-0001.json and .safetensors hold the first
step: its events and floors, the batch, the losses of the reference and of the noise draws, and what it started from (of later
steps in resync mode only).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from parity import asked
from parity.declare.pair import TrainingSubject
from parity.numbers.noise import DRAWS
from parity.recordings.format import (
    RecordingError,
    Runs,
    Table,
    Writer,
    begun,
    fingerprint,
    fitting,
    read_index,
    read_runs,
    read_start,
    write_index,
    write_json,
    write_start,
)
from parity.steps.programs import Programs
from parity.steps.reference import Progress, ReferenceStep, reference_steps
from parity.steps.state import cast
from parity.trace.randomness import Tape

KIND = "parity steps"


def record_to(folder: Path, subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64",
              draws: int = DRAWS, floor_every: int = 1, progress: Progress | None = None) -> None:
    """The reference's steps into a folder; the twin is built for its names only, and let go.

    Raises RecordingError where the folder holds something already.
    """
    lane = asked.lane(lane)
    asked.following(steps=steps, mode=mode, draws=draws, floor_every=floor_every)
    with begun(folder):
        _record(folder, Programs(subject, lane), steps, mode, draws, floor_every, progress or (lambda step, what: None))


def _record(folder: Path, both: Programs, steps: int, mode: str, draws: int, floor_every: int, progress: Progress) -> None:
    subject = both.subject
    both.let_go(1)
    index = {"name": subject.name, "lane": both.lane, "mode": mode, "seed": subject.seed, "weights": _fingerprint(subject),
             "versions": {both.frameworks[0].name: both.frameworks[0].version}}
    parts: dict[str, str] = {}
    write_index(folder, KIND, parts, {**index, "steps": 0})
    written: list[Writer] = []

    def writer(number: int) -> Writer:
        written.append(Writer(folder / f"step-{number:04}.safetensors"))
        return written[-1]

    try:
        for step in reference_steps(both, steps, mode, draws, floor_every, progress, writer):
            file = f"step-{step.number:04}.json"
            parts[file] = _write(folder / file, step, with_start=mode == "resync" or step.number == 1)
            write_index(folder, KIND, parts, {**index, "steps": step.number})
    except BaseException:
        if written:
            written[-1].discard()
        raise


def _write(path: Path, step: ReferenceStep, with_start: bool) -> str:
    table, store = Table(), step.store
    batch = {name: next(event.place for key, event in store.events.items() if key.stage == "data" and key.variable == name)
             for name in step.batch}
    start = {key: value for key, value in step.before.items() if key != "own"} if with_start else None
    return write_json(path, {
        "losses": store.losses, "drawn": step.drawn, "batch": batch, "values": store.kinds, "random": step.tape.to_json(),
        "apart": sorted(store.apart), "lifted": step.lifted,
        "start": None if start is None else write_start(path.parent, start),
        "runs": {"step": table.events(store.in_order())}, "floors": {"step": table.floors(step.floors)}, **table.tables()})


class _Recorded:
    """The steps of a folder, read one by one, as often as they are asked for."""

    def __init__(self, folder: Path, index: dict[str, Any]) -> None:
        self._folder, self._index = folder, index

    def __iter__(self) -> Iterator[ReferenceStep]:
        folder, index = self._folder, self._index
        before: dict[str, Any] = {}
        for number in range(1, index["steps"] + 1):
            stem = f"step-{number:04}"
            found = read_runs(folder, stem, index)
            if number == 1 or index["mode"] == "resync":
                before = read_start(folder, found.document.get("start"))
            with fitting(folder / f"{stem}.json"):
                step = _step(number, found, before)
            yield step


def recorded_in(folder: Path, subject: TrainingSubject) -> tuple[dict[str, Any], Iterable[ReferenceStep]]:
    """(index, its steps one by one) of a folder that `record_to` wrote. Raises RecordingError where it is of another subject, or
    damaged; while the steps are read, too."""
    index = read_index(folder, KIND, "parity steps --record", {"parity trace": "parity diff"})
    good = (index.get("lane") in asked.LANES and index.get("mode") in asked.WAYS and type(index.get("steps")) is int
            and len(index["parts"]) == index["steps"])
    if not good:
        raise RecordingError(f"{folder}/index.json: expected lane, mode, steps and as many parts, found {list(index)} with values "
                             f"that do not fit; record again")
    if index.get("name") != subject.name:
        raise RecordingError(f"{folder}: expected a recording of {subject.name}, found one of {index.get('name')}; record again")
    if index.get("weights") != _fingerprint(subject):
        raise RecordingError(f"{folder}: it was recorded from other weights than these; give the same sizes, seed or checkpoint")
    if not index["steps"]:
        raise RecordingError(f"{folder}: expected recorded steps, found none: the recording was interrupted; record again")
    return index, _Recorded(folder, index)


def _step(number: int, found: Runs, before: dict[str, Any]) -> ReferenceStep:
    document, store = found.document, found.runs["step"]
    if not store.events:
        raise ValueError("no events")
    floors = found.floors["step"]
    store.losses = {str(name): _loss(value) for name, value in document["losses"].items()}
    drawn = [{name: _loss(losses[name]) for name in store.losses} for losses in document["drawn"]]
    batch = {name: found.values.array(place) for name, place in document["batch"].items()}
    return ReferenceStep(number, batch, store, {key: floors.get(key, 0.0) for key in store.events}, drawn, before,
                         Tape.of_json(document["random"]), document.get("lifted") is True)


def _loss(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"expected a number as loss, found {value!r}")
    return float(value) if math.isfinite(value) else float("nan")


def _fingerprint(subject: TrainingSubject) -> str:
    """Of the weights that both sides start from."""
    return fingerprint(cast({"networks": subject.state["networks"]}, "float32"))

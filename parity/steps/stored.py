"""The reference's steps in a folder (`parity.recordings.stored_steps`), written and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parity import asked
from parity.declare.pair import TrainingSubject
from parity.numbers.noise import DRAWS
from parity.recordings import stored_steps as recording
from parity.steps.programs import Programs
from parity.steps.reference import Progress, ReferenceStep, reference_steps
from parity.steps.state import cast


def record_to(folder: Path, subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64",
              draws: int = DRAWS, floor_every: int = 1, progress: Progress | None = None) -> None:
    """The reference's steps into a folder (see `recording`); the twin is built for its names only, and let go.

    Raises RecordingError where the folder holds something already.
    """
    lane = asked.lane(lane)
    asked.following(steps=steps, mode=mode, draws=draws, floor_every=floor_every)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise recording.RecordingError(f"{folder}: expected an empty folder, found files in it; choose another")
    both = Programs(subject, lane)
    both.let_go(1)
    index = {"format": recording.FORMAT, "name": subject.name, "lane": lane, "mode": mode, "seed": subject.seed, "steps": 0,
             "weights": _fingerprint(subject), "versions": {both.frameworks[0].name: both.frameworks[0].version}}
    recording.write_json(folder / "index.json", index)
    written: list[recording.StepWriter] = []

    def writer(number: int) -> recording.StepWriter:
        written.append(recording.StepWriter(folder / f"step-{number:04}.safetensors"))
        return written[-1]

    try:
        for step in reference_steps(both, steps, mode, draws, floor_every, progress or (lambda step, what: None), writer):
            batch = {name: next(key for key in step.store.events if key.stage == "data" and key.variable == name)
                     for name in step.batch}
            if mode == "resync" or step.number == 1:
                shared = {key: value for key, value in step.before.items() if key != "own"}
                recording.write_state(folder / f"start-{step.number:04}.safetensors", shared)
            recording.write_step(folder, step.number, step.store, step.floors, step.drawn, batch)
            recording.write_json(folder / "index.json", {**index, "steps": step.number})
    except BaseException:
        if written:
            written[-1].discard()
        raise


def recorded_in(folder: Path, subject: TrainingSubject) -> tuple[dict[str, Any], Iterator[ReferenceStep]]:
    """(index, its steps one by one) of a folder that `record_to` wrote. Raises RecordingError where it is of another subject."""
    index = recording.read_json(folder / "index.json")
    if index.get("format") != recording.FORMAT or index.get("name") != subject.name:
        raise recording.RecordingError(f"{folder}: expected a recording of {subject.name}, format {recording.FORMAT}, found "
                                       f"{index.get('name')}, format {index.get('format')}")

    if index["weights"] != _fingerprint(subject):
        raise recording.RecordingError(f"{folder}: it was recorded from other weights than these; give the same sizes, seed or "
                                       f"checkpoint")

    def read() -> Iterator[ReferenceStep]:
        before: dict[str, Any] = {}
        for number in range(1, index["steps"] + 1):
            store = recording.StepReader(folder, number)
            if number == 1 or index["mode"] == "resync":
                before = recording.read_state(folder / f"start-{number:04}.safetensors")
            yield ReferenceStep(number, store.batch, store, store.floors, store.drawn, before)

    return index, read()


def _fingerprint(subject: TrainingSubject) -> str:
    """Of the weights that both sides start from."""
    return recording.fingerprint(cast({"networks": subject.state["networks"]}, "float32"))

"""`parity record`: one side of each program, forward and backward, into a trace (see `traces`).

The reference's trace holds its float64 values, in either lane, and the noise floors of the lane. The twin's holds its values
in the lane, under the reference's names and layouts, and the floors to judge them with: taken over with `--from`, else measured.
In the float32 lane gradients come of a replay, as in `parity check`: each module is given the reference's values.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import numpy as np

from parity.blame import is_users, refusing
from parity.compare.ladder import Both
from parity.compare.lone import Lone, importable
from parity.compare.results import Case
from parity.declare.pair import Pair
from parity.files import InputError
from parity.frameworks.lifting import Lifted
from parity.numbers.arrays import in_lane
from parity.recordings.elsewhere import remarks, told
from parity.recordings.format import Table, Writer, begun, write_json
from parity.recordings.traces import Program, Trace, save_index, save_start
from parity.trace.events import Event, Key
from parity.trace.randomness import Tape
from parity.trace.source import relative
from parity.verdict.judge import Failure
from parity.verdict.sinks import Store
from weights_convert.outline import outline

Progress = Callable[[Case, str], None]


def taken_over(cases: Sequence[Case], trace: Trace) -> list[Case]:
    """The cases with the weights and inputs of the trace. Raises TraceError, and InputError for a case that it lacks."""
    found = []
    for case in cases:
        if (case.title, case.mode) not in trace.names:
            known = ", ".join(f"{title} ({mode})" for title, mode in trace.names)
            raise InputError(f"--from {trace.folder}: expected a recording of {case}, found {known or 'nothing'}; choose with "
                             f"--only, --no-eval, --no-train, --no-modules")
        document = trace.program((case.title, case.mode)).document
        weights, inputs = trace.start(document)
        subject = with_changes(case.subject, state=weights, inputs=inputs, seed=document["seed"], calls=document["calls"])
        found.append(with_changes(case, subject=subject))
    return found


class _Size(Store):
    """Counts the bytes of what a run shows, each value once where it has several names in a row."""

    keeps = False

    def __init__(self, keep: str) -> None:
        super().__init__()
        self.keep, self.bytes_seen, self.whole, self.count = keep, 0, 0, 0
        self._last = self._counted = None

    def receive(self, event: Event) -> None:
        array, event.array = event.array, None
        if array is None:
            return
        if array is not self._last:
            self.whole += array.nbytes
        if array is not self._counted and (self.keep == "all" or not event.key.is_local):
            self.count += 1
            self.bytes_seen += array.nbytes + 300  # and its line in the index
            self._counted = array
        self._last = array


def alone(pair: Pair, side: str, source: Trace | None) -> bool:
    """Whether that side has to be recorded without the other, whose framework cannot be imported. Raises InputError where the
    side's own cannot, or a twin has no trace to take names and weights from."""
    own, other = pair.reference_framework, pair.twin_framework
    if side == "twin":
        own, other = other, own
    if not importable(own):
        raise InputError(f"--side {side}: {own.name} cannot be imported here")
    if importable(other):
        return False
    if side == "twin" and source is None:
        raise InputError(f"--side twin: {other.name} cannot be imported here, so names, layouts and weights have to come of a "
                         f"trace of the reference; give one with --from")
    return True


def _both(case: Case, side: str, device: str, source: Trace | None, elsewhere: Mapping[str, Any] | None = None) -> Both:
    if elsewhere is not None or (case.subject.pair.elsewhere and side == "reference"):
        return Lone(case.subject, device, 0, elsewhere)
    if not alone(case.subject.pair, side, source):
        return Both(case.subject, device)
    outline = source.program((case.title, case.mode)).document.get("outline") if source is not None else None
    try:
        return Lone(case.subject, device, SIDE_NUMBER[side], outline)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if outline is None:
            raise
        raise InputError(f"--from {source.folder}: expected the outline of {case}'s network, found one that does not fit "
                         f"({type(error).__name__}: {error}); record again") from error


def estimate(cases: Sequence[Case], side: str, lane: str, keep: str, device: str = "cpu",
             source: Trace | None = None, elsewhere: Mapping[str, Any] | None = None) -> tuple[int, int]:
    """Bytes that a trace of these takes at most, and beside it while it is recorded; from one float32 forward of each.

    Every value may have a gradient; a float32 twin is recorded twice forward (free and replay) and once backward.
    """
    total = beside = 0
    for case in cases:
        both, size = _both(case, side, device, source, elsewhere), _Size("layers" if keep == "summaries" else keep)
        with refusing(str(case), case.subject.pair.reference_source):
            if isinstance(both, Lone) and side == "twin":
                both.twin("float32", size, gradients=False)
            else:
                both.reference("float32", size, gradients=False)
        wide = 2 if lane == "float64" or side == "reference" else 1
        passes = 3 if lane == "float32" and side == "twin" else 2
        shown = size.bytes_seen if keep != "summaries" else 900 * size.count
        start = sum(array.nbytes for values in (case.subject.state, case.subject.inputs) for array in values.values())
        total += start + (4 << 20)  # the start file, and room that the header of a values file leaves
        total += passes * shown if keep == "summaries" else passes * wide * shown + 4 * start
        beside = max(beside, 4 * size.whole + 8 * start + (4 << 20))  # the float64 truth of one program
    return total, beside


def _check_room(folder: Path, needed: int) -> None:
    """Raises InputError where the disk lacks the room."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(f"{folder}: recording takes up to {needed / 2**20:.0f} MiB, there are {free / 2**20:.0f} MiB free; "
                         f"free some, choose another disk, fewer programs (--only), or --keep layers or summaries")


def record(folder: str | Path, cases: Sequence[Case], *, side: str, lane: str, keep: str = "all", device: str = "cpu",
           source: Trace | None = None, elsewhere: Mapping[str, Any] | None = None,
           progress: Progress = lambda case, doing: None, estimated: Callable[[int], None] = lambda needed: None,
           remarked: Callable[[str], None] = lambda remark: None) -> int:
    """Record one side of the cases into an empty folder; returns the bytes written.

    estimated: called with the bytes that the recording takes at most, once there is room for them. source: a trace whose
    floors (and in float32 whose values, for the replay) are taken over; `cases` come of `taken_over`. elsewhere: the outline of a
    twin that `parity_recorder.py` will run (`read_outline`). remarked: called with what there is to say of pairing with it. Raises
    InputError, FrameworkError, and whatever else the reference raises; what the twin raises is recorded.
    """
    folder = Path(folder)
    if source is not None and source.lane != lane:
        raise InputError(f"--from {source.folder}: expected a trace of lane {lane}, found {source.lane}; add --lane {source.lane}")
    needed, beside = estimate(cases, side, lane, keep, device, source, elsewhere)
    _check_room(next(place for place in (folder, *folder.absolute().parents) if place.is_dir()), needed + beside)
    estimated(needed)
    with begun(folder):
        _record(folder, cases, side, lane, keep, device, source, elsewhere, progress, remarked)
    return sum(path.stat().st_size for path in folder.iterdir())


def _record(folder: Path, cases: Sequence[Case], side: str, lane: str, keep: str, device: str, source: Trace | None,
            elsewhere: Mapping[str, Any] | None, progress: Progress, remarked: Callable[[str], None]) -> None:
    pair = cases[0].subject.pair
    framework = pair.twin_framework if side == "twin" else pair.reference_framework
    index = {"side": side, "lane": lane, "keep": keep, "device": device, "platform": platform.platform(terse=True),
             "versions": {framework.name: framework.version, "numpy": np.__version__, "python": platform.python_version()},
             "planned": [[case.title, case.mode] for case in cases]}
    parts: dict[str, str] = {}
    save_index(folder, index, parts)
    for number, case in enumerate(cases, 1):
        with refusing(str(case), case.subject.pair.reference_source):
            seal = _program(folder, number, case, side, lane, keep, device, source, progress, elsewhere,
                            remarked if number == 1 else None)
        parts[f"program-{number:04}.json"] = seal
        save_index(folder, index, parts)


def _program(folder: Path, number: int, case: Case, side: str, lane: str, keep: str, device: str, source: Trace | None,
             progress: Progress, elsewhere: Mapping[str, Any] | None, remarked: Callable[[str], None] | None) -> str:
    """Returns the hash of its file. A side that raises in float64 is recorded once more with float32 lifted, where that helps."""
    both, given = _both(case, side, device, source, elsewhere), None
    if source is not None:
        given = source.program((case.title, case.mode))
        both.lifted = Lifted() if given.document.get("lifted") is True else None

    def written() -> str:
        return _written(folder, number, case, both, side, lane, keep, source, given, progress, elsewhere, remarked)

    if both.lifted is not None:
        return written()
    try:
        return written()
    except _Raises:
        pass
    except Exception as error:
        if not is_users(error, both.sources[0]) or not _lifting_helps(both, "reference"):
            raise
    both.tape = Tape(case.subject.seed)  # without what was drawn before it raised
    return written()


class _Raises(Exception):
    """The twin does, and would not with float32 lifted."""


def _lifting_helps(both: Both, side: str) -> bool:
    """Whether a side that raises in float64 does not with float32 lifted; then it stays so."""
    both.lifted = Lifted()
    try:
        raised = both.twin("float64", _Size("layers"), gradients=False) if side == "twin" else both.reference(
            "float64", _Size("layers"), gradients=False)
    except Exception as error:
        if not is_users(error, both.sources[0]):
            raise
        raised = error
    if raised is not None or not both.lifted.count:
        both.lifted = None
    return both.lifted is not None


def _written(folder: Path, number: int, case: Case, both: Both, side: str, lane: str, keep: str, source: Trace | None,
             given: Program | None, progress: Progress, elsewhere: Mapping[str, Any] | None,
             remarked: Callable[[str], None] | None) -> str:
    subject = case.subject
    for remark in remarks(both) if elsewhere is not None and remarked is not None else ():
        remarked(str(remark))
    indexed = Table()
    path = folder / f"program-{number:04}.safetensors"
    writer = Writer(path, keep)
    scratch = Writer(folder / f".truth-{number:04}.safetensors", "layers" if keep == "layers" else "all")
    runs: dict[str, list] = {}
    failure: Failure | None = None
    try:
        if given is not None and source.side == "reference":
            both.tape = Tape.of_json(given.document["random"])
        progress(case, "weights")
        census, kinds = _census(both, side, lane, writer, subject.name)
        floors = dict(given.floors) if given is not None else {}
        replayable = _replayable(given, source)
        if side == "reference" or not floors or (lane == "float32" and not replayable):
            progress(case, "reference, float64")
            both.reference("float64", scratch)
            scratch.close()
            floors = floors or _floors(both, scratch, lane, lambda doing: progress(case, doing))
            replayable = scratch
        if side == "reference":
            runs["free"] = _pass(scratch.in_order(), writer, indexed, census)
        else:
            for run in ("free",) if lane == "float64" else ("free", "replay"):
                progress(case, f"twin, {lane}, {run}")
                sink = _Renewed(writer)
                options = {"gradients": lane == "float64"} if run == "free" else {"replayed": replayable}
                error = both.twin(lane, sink, **options)
                if error is not None and lane == "float64" and both.lifted is None and _lifting_helps(both, "twin"):
                    raise _Raises
                if error is not None:
                    failure = Failure.of(error, subject.pair.twin_source)
                held = [writer.events[event.key] for event in census] if run == "free" else []
                runs[run] = indexed.events([*held, *sink.in_order()])
                if error is not None:
                    break
        writer.close()
        return write_json(folder / f"program-{number:04}.json", {
            "title": case.title, "mode": case.mode, "name": subject.name, "stage": subject.stage, "seed": subject.seed,
            "calls": subject.calls, "training": subject.training, "one_sided": sorted(subject.pair.one_sided),
            "named": subject.pair.names is not None,
            "outline": outline(both.models[0]) if both.models[0] is not None else given and given.document.get("outline"),
            **save_start(folder, subject.state, subject.inputs), "random": both.tape.to_json(), "kinds": kinds, "runs": runs,
            "floors": {run: indexed.floors(found) for run, found in floors.items()}, "values": writer.kinds,
            "apart": sorted(scratch.apart), "lifted": both.lifted is not None,
            **({"twin": told(both)} if side == "reference" else {}),
            "failure": None if failure is None else [failure.kind, failure.text, indexed.site(failure.site)], **indexed.tables()})
    except BaseException:
        writer.discard()
        raise
    finally:
        scratch.discard()
        scratch.path.unlink(missing_ok=True)


class _Renewed(Store):
    """One run of several into the same file: its own events, the writer's places."""

    keeps = False

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def receive(self, event: Event) -> None:
        if self._writer.keep == "all" or not event.key.is_local:
            self._writer.receive(event)
            self.events[event.key] = self._writer.events[event.key]


def _census(both: Both, side: str, lane: str, writer: Writer, name: str) -> tuple[list[Event], dict[str, str]]:
    """What the side holds, once loaded: as events of the first rung; and what kind of entry each is."""
    number = SIDE_NUMBER[side]
    framework, model = both.frameworks[number], both.models[number]
    entries = both.entries()
    kinds = dict.fromkeys(framework.buffers(model), "a buffer")
    for key, parameter in framework.parameters(model).items():
        kinds[key] = "a trained parameter" if framework.requires_grad(parameter) else "a frozen parameter"
    if number:
        kinds = {entries[key].source if key in entries else key: kind for key, kind in kinds.items()}
    events = []
    # The reference's values are its float64 ones in either lane; float32 weights are exact in both.
    held = list(both.held(number, "float64" if side == "reference" else lane))
    for order, (entry, array, site) in enumerate(held, -len(held)):
        owner, _, variable = entry.rpartition(".")
        key = Key("census", 0, None, ".".join(filter(None, (name, owner))), 0, "", 0, variable, 0)
        event = Event(key, order, site, in_lane(array, "float64"))
        writer.receive(event)
        events.append(event)
    return events, {entry: kinds[entry] for entry, _, _ in held}


SIDE_NUMBER = {"reference": 0, "twin": 1}


def _replayable(given: Program | None, source: Trace | None) -> Store | None:
    """The reference's values that a replay of the twin can go on with, if the trace has them."""
    return given.runs["free"] if given is not None and source.side == "reference" and source.keep != "summaries" else None


def _pass(events: Sequence[Event], writer: Writer, indexed: Table, census: Sequence[Event]) -> list[list]:
    """What was written to the scratch file, into the trace."""
    for event in events:
        writer.receive(event)
    kept = [writer.events[event.key] for event in (*census, *events) if event.key in writer.events]
    return indexed.events(kept)


def _floors(both: Both, truth: Store, lane: str, tell: Callable[[str], None]) -> dict[str, Mapping[Key, float]]:
    """run -> the floors that `parity check` would use (see `ladder`)."""
    if lane == "float64":
        tell("noise floor, float64")
        return {"free": both.floors(lane, truth)}
    found = {}
    for run, replayed in (("free", None), ("replay", truth)):
        tell(f"accuracy of the reference, float32, {run}")
        found[run] = both.floors(lane, truth, replayed=replayed)
    return found


def describe(count: int, needed: int, written: int, folder: str | Path, side: str, lane: str, keep: str) -> str:
    """One line for who recorded."""
    return (f"{count} programs, {side}, {lane}, kept: {keep}: {written / 2**20:.1f} MiB in {relative(str(folder))} "
            f"(estimated: at most {needed / 2**20:.1f} MiB)")

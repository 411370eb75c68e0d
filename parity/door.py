"""The one door: what the command line, the pytest plugin and users of `import parity` call. Documented as `parity.NAME`.

Arguments are checked before anything runs (`parity.asked`), and the known differences of the frameworks are applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity import asked
from parity.asked import LANES
from parity.files import InputError

if TYPE_CHECKING:
    from parity.compare.results import Case
    from parity.data.findings import DataSummary
    from parity.declare.data import Data
    from parity.declare.metric import Metric
    from parity.declare.pair import TrainingSubject
    from parity.declare.port import Port
    from parity.declare.training import Training
    from parity.metrics.summary import MetricSummary
    from parity.recordings.diff import Summary as DiffSummary
    from parity.recordings.traces import Trace
    from parity.report.summary import Summary
    from parity.steps.summary import Summary as StepsSummary
    from parity.verdict.findings import Finding, Report

# Frameworks are imported inside: who only wants to be told what is wrong with the arguments must not wait for them.

FOLLOWED = ("float64",)


def compare(pair: Port | str | Path | Sequence[Case], *, lanes: Iterable[str] = LANES, modes: Iterable[str] | None = None,
            seed: int | None = None, device: str = "cpu", quick: bool = False, operations: bool = False,
            progress: Callable[[Case, str], None] | None = None,
            found: Callable[[Case, Finding], None] | None = None,
            passed: Callable[[Case, Report], None] | None = None) -> Summary:
    """Compare two programs on the same weights, inputs and random numbers, forward and backward, value by value.

    pair: a `Port`; a file that declares one ("my_pair.py", "my_pair.py:name"), or cases made already. lanes: of "float64" (the
    same computation?) and "float32" (as accurate as the reference?). modes: of "eval" and "train"; by default the pair's own,
    as its seed is. device: "cpu" or "gpu". quick: where the two are the same in float64, the float32 lane is left out.
    operations: watch single operations too, everywhere (slower). progress: called with the case and what runs. found: with the case
    and the first divergence of its pass, before that is measured beside the noise. passed: with the case and all that its pass in
    float64 came to, before anything is asked that may explain it.

    One pass in float64 comes first. Draws, replay and places are for what it leaves open; the float32 lane, where float64 has not
    diverged.

    Returns the `Summary`: `verdict` ("same" or "diverged"), `headline` (the first divergence), `results` (for each mode a
    `Report` with all findings). Distances are absolute, in the values' own units, and in noise floors: multiples of what
    rounding alone does. Raises InputError (an argument, or the pair, cannot be used; the reference cannot run),
    NothingCompared, FrameworkError (the device is missing).
    """
    lanes, device = asked.lanes(lanes), asked.device(device)
    modes = None if modes is None else asked.modes(modes)
    seed = None if seed is None else asked.count("seed", seed, asked.SEEDS)
    from parity.compare import runner
    from parity.report.summary import Summary
    cases = _cases(pair, modes, seed)
    return Summary(list(runner.run(cases, lanes=lanes, device=device, quick=quick, operations=operations,
                                   **{name: told for name, told in (("progress", progress), ("found", found), ("passed", passed))
                                      if told})))


def follow(pair: Port | Training | TrainingSubject | str | Path, *, steps: int = 3, mode: str = "free",
           lanes: Iterable[str] = FOLLOWED, seed: int | None = None, device: str = "cpu", draws: int = 3, floor_every: int = 1,
           against: str | Path | None = None,
           progress: Callable[[str, int, str, Mapping[str, float]], None] | None = None,
           passed: Callable[[Report], None] | None = None) -> StepsSummary:
    """Train both sides from the same weights and batches, and compare each step whole, up to three after the first divergence.

    pair: a `Port` with a training, a `Training`, or a file that declares one. steps: how many. mode: "free" (each side goes its
    own way) or "resync" (the twin starts each step from the reference's state). draws: runs of the reference that measure what
    rounding does. floor_every: in resync mode, measure it at every so-manieth step only. against: a folder that `record`
    filled with the reference's steps: number, mode and lane are then its. progress: called with lane, step, what runs, and
    the losses last seen. passed: with what the census, and then each step, came to, before anything is asked that may explain it.

    Returns the summary: `verdict`, `first` (the first divergence), `followed` (for each lane a report, and the losses of both
    sides). Raises as `compare`.
    """
    lanes = asked.lanes(lanes)
    asked.following(steps=steps, mode=mode, draws=draws, floor_every=floor_every)
    training = _training(pair, seed, device)
    from parity.steps import runner
    from parity.steps.summary import Summary
    options: dict[str, Any] = {"mode": mode, "draws": draws, "floor_every": floor_every}
    if against is not None:
        lane, way, steps, recorded = runner.recording_of(against, training)
        lanes, options = (lane,), {"mode": way, "recorded": recorded}
    told = {name: one for name, one in (("progress", progress), ("passed", passed)) if one}
    return Summary(list(runner.run(training, lanes=lanes, steps=steps, **options, **told)), steps=steps)


def record(pair: Port | Training | TrainingSubject | str | Path | Sequence[Case], folder: str | Path, *, side: str = "reference",
           lane: str = "float64", modes: Iterable[str] | None = None, keep: str = "all", seed: int | None = None,
           device: str = "cpu", source: str | Path | Trace | None = None, elsewhere: Mapping[str, Any] | None = None,
           steps: int | None = None, mode: str = "free", draws: int = 3, floor_every: int = 1,
           progress: Callable[[Case, str], None] | None = None, estimated: Callable[[int], None] | None = None,
           remarked: Callable[[str], None] | None = None) -> int:
    """Run one side alone, and write every value that it sees into an empty folder, for `diff`; returns the bytes written.

    side: "reference" or "twin". keep: "all", "layers" (module borders, parameters, gradients) or "summaries" (projections and
    samples of these). source: a recording whose weights, inputs and floors are taken over. estimated: called with the bytes that
    it takes at most, before anything is written. elsewhere: the outline of a twin that parity_recorder.py will run
    (`parity.recordings.elsewhere.read_outline`); remarked: called with what there is to say of pairing with it. With `steps`, so
    many training steps of the reference, for `follow(pair, against=folder)`. The rest as for `compare` and `follow`. Raises
    InputError.
    """
    lane, device = asked.lane(lane), asked.device(device)
    side = asked.one("side", side, ("reference", "twin"))
    keep = asked.one("keep", keep, ("all", "layers", "summaries"))
    modes = None if modes is None else asked.modes(modes)
    if steps is not None:
        asked.following(steps=steps, mode=mode, draws=draws, floor_every=floor_every)
        if side != "reference":
            raise InputError(f"side: expected 'reference', found {side!r}: of a training the reference's steps are recorded")
        from parity.steps import runner
        runner.record(folder, _training(pair, seed, device), steps=steps, mode=mode, lane=lane, draws=draws,
                      floor_every=floor_every)
        return sum(path.stat().st_size for path in Path(folder).iterdir())
    seed = None if seed is None else asked.count("seed", seed, asked.SEEDS)
    from parity.recordings import record as recording
    from parity.recordings.traces import Trace
    trace = source if source is None or isinstance(source, Trace) else Trace.open(source)
    cases = _cases(pair, modes, seed)
    if trace is not None:
        cases = recording.taken_over(cases, trace)
    return recording.record(folder, cases, side=side, lane=lane, keep=keep, device=device, source=trace,
                            elsewhere=elsewhere,
                            **({"progress": progress} if progress else {}), **({"estimated": estimated} if estimated else {}),
                            **({"remarked": remarked} if remarked else {}))


def diff(one: str | Path, other: str | Path) -> DiffSummary:
    """Compare two recordings of `record`: another framework, version, device or day. `one` stands for the reference.

    Needs neither framework. Raises InputError, NothingCompared.
    """
    from parity.recordings.diff import diff
    from parity.recordings.traces import Trace
    return diff(Trace.open(one), Trace.open(other))


def compare_data(pair: Data | str | Path, *, samples: int = 32, seed: int = 0,
                 told: Callable[[int], None] | None = None) -> DataSummary:
    """Compare two data pipelines on the same random numbers: the order of each epoch whole, its first samples, each step of
    each followed (lines of yours, transforms of a `Compose`), and the batches that are made of them.

    pair: a `Data`, or a file that declares one ("my_pair.py", "my_pair.py:name"). samples: so many of each epoch; of a stream,
    items. seed: of all random numbers, which are shared by place (an order, a sample, a batch). told: called with how many more
    are done.

    Integers and texts must be equal; floating-point numbers may differ by 16 roundings of the largest number on their way.
    Returns a summary: `verdict` ("same" or "diverged"), `first` and `findings` (place, step, likely cause), `compared`,
    `remarks`. Raises InputError (the reference cannot be built or read), NothingCompared.
    """
    samples, seed = asked.count("samples", samples), asked.count("seed", seed, asked.SEEDS)
    from parity.data.compare import compare
    from parity.declare.data import Data
    from parity.declare.declared import one
    return compare(one(pair, Data), samples=samples, seed=seed, **({"told": told} if told else {}))


def compare_metrics(pair: Metric | str | Path, *, seed: int = 0) -> MetricSummary:
    """Hand two metrics the same predictions, and compare what they say after each batch, and at the end.

    pair: a `Metric`, or a file that declares one ("my_pair.py", "my_pair.py:name"). seed: of what its recipes draw.

    They may differ by 16 roundings in float32, or by 16 times what moving the predictions by one rounding does to the reference.
    Returns a summary: `verdict` ("same" or "diverged"), `first` (the update after which they part), `cause`, and `models`: whether
    the ends of two models differ by the metric or by the model. Raises InputError (the reference cannot be read),
    NothingCompared.
    """
    seed = asked.count("seed", seed, asked.SEEDS)
    from parity.declare.declared import one
    from parity.declare.metric import Metric
    from parity.metrics.compare import compare
    return compare(one(pair, Metric), seed=seed)


def _cases(pair: Any, modes: Sequence[str] | None, seed: int | None) -> list[Case]:
    from parity.compare.results import Case
    from parity.declare import port as porting
    if isinstance(pair, (list, tuple)) and all(isinstance(one, Case) for one in pair):
        return list(pair)
    if isinstance(pair, (str, Path)):
        pair = porting.load([str(pair)])
    if not isinstance(pair, porting.Port):
        raise InputError(f"expected a parity.Port, or a file that declares one, found {type(pair).__qualname__}")
    return [Case(pair.title, mode, pair.subject(mode, seed)) for mode in modes or asked.modes(pair.modes)]


def _training(pair: Any, seed: int | None, device: str) -> TrainingSubject:
    asked.device(device)
    seed = None if seed is None else asked.count("seed", seed, asked.SEEDS)
    from parity.declare import port as porting
    from parity.declare.pair import TrainingSubject
    if isinstance(pair, TrainingSubject):
        return pair
    if isinstance(pair, (str, Path)):
        return porting.training(str(pair), seed=seed, device=device)
    return porting.training_of(pair, seed=seed, device=device)

"""Cases of any pair, compared one after the other: what one pass settles, and where a divergence is placed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from parity import asked
from parity.blame import refusing
from parity.compare.ladder import compare, glance
from parity.compare.results import Case, Result
from parity.declare.pair import Subject
from parity.differences import explain
from parity.verdict.findings import Finding, NothingCompared, Report


def run(todo: Iterable[Case], *, lanes: Iterable[str], device: str = "cpu", operations: bool = False, quick: bool = False,
        progress: Callable[[Case, str], None] = lambda case, doing: None) -> Iterator[Result]:
    """Compare one case after the other. operations: single operations too; of a user's pair they are watched anyway where
    neither a line nor a layer places the first divergence. quick: what one pass in float64 finds to be the same
    (`ladder.glance`) is done with, and only the rest compared as ever. Raises NothingCompared, FrameworkError, InputError (the
    reference cannot run).
    """
    lanes, device, todo = asked.lanes(lanes), asked.device(device), list(todo)
    if not todo:
        raise NothingCompared("no program was given, so nothing was compared")
    for case in todo:
        started = time.perf_counter()
        with refusing(str(case), case.subject.pair.reference_source):
            told = {"lanes": lanes, "device": device, "progress": lambda doing, case=case: progress(case, doing)}
            report = _glanced(case.subject, device, told["progress"]) if quick else None
            if report is None:
                report = compare_placing(case.subject, operations=operations, **told)
            if report.diverged:
                progress(case, "is it a known difference of the frameworks?")
                report = explain(report, lambda lanes, case=case: compare(case.subject, lanes=lanes, device=device))
        report.verdict  # noqa: B018 (raises NothingCompared)
        yield Result(case, report, time.perf_counter() - started)


def _glanced(subject: Subject, device: str, progress: Callable[[str], None]) -> Report | None:
    """What one pass says, if that settles it."""
    report = glance(subject, device=device, progress=progress)
    return None if report.diverged or report.unseen else report


def compare_placing(subject: Subject, *, operations: bool = False, **options: Any) -> Report:
    """As `ladder.compare`; of a user's pair single operations are watched too where no line places the first divergence."""
    report = compare(subject, operations=operations, **options)
    if not operations and subject.pair.names is not None and _between_layers(report.first):
        report = compare(subject, operations=True, **options)
    return report


def _between_layers(first: Finding | None) -> bool:
    """Whether a divergence shows at the border of a module, and no line says where it was made."""
    return first is not None and first.key.stage != "census" and not first.key.is_local

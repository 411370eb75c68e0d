"""Cases of any pair, compared one after the other."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from parity import asked
from parity.blame import refusing
from parity.compare.ladder import Both, compare, may_be_of_a_constant
from parity.compare.results import Case, Result
from parity.compare.settling import Settling, between_layers
from parity.declare.pair import Subject
from parity.verdict.findings import RAISED, Finding, NothingCompared, Report


def run(todo: Iterable[Case], *, lanes: Iterable[str], device: str = "cpu", operations: bool = False, quick: bool = False,
        progress: Callable[[Case, str], None] = lambda case, doing: None,
        found: Callable[[Case, Finding], None] = lambda case, finding: None,
        passed: Callable[[Case, Report], None] = lambda case, report: None) -> Iterator[Result]:
    """Compare one case after the other. operations: single operations too; of a user's pair they are watched anyway where
    neither a line nor a layer places the first divergence. quick: what is the same in float64, which comes first
    (`ladder.glance`), is done with, and the float32 lane not looked at. found: told the first divergence of a pass as soon as it is
    known, before it has been measured beside the noise. passed: told what a pass in float64 came to, before anything has been asked
    that may explain it. Raises NothingCompared, FrameworkError, InputError (the reference cannot run).
    """
    lanes, device, todo = asked.lanes(lanes), asked.device(device), list(todo)
    if not todo:
        raise NothingCompared("no program was given, so nothing was compared")
    for case in todo:
        for framework in (case.subject.pair.reference_framework, case.subject.pair.twin_framework):
            framework.version  # noqa: B018 (imported now: that is no part of the comparison's time)
        started = time.perf_counter()
        with refusing(str(case), case.subject.pair.reference_source):
            report = _settled(case, lanes, device, quick=quick, operations=operations, tell=functools.partial(progress, case),
                              found=functools.partial(found, case), passed=functools.partial(passed, case))
        report.verdict  # noqa: B018 (raises NothingCompared)
        yield Result(case, report, time.perf_counter() - started)


def _settled(case: Case, lanes: Iterable[str], device: str, *, found: Callable[[Finding], None], **options: Any) -> Report:
    """Both are built in here, so that they are gone before those of the next case."""
    with Both(case.subject, device).as_they_were() as both:
        def placed(finding: Finding) -> None:
            perhaps_the_lanes = finding.variable == RAISED or may_be_of_a_constant(finding)
            if both.lifted is not None or not perhaps_the_lanes:
                found(finding)

        return both.lifted_where_needed(lambda: Settling(both, lanes, found=placed, **options).report(), lanes, constants=True)


def compare_placing(subject: Subject, *, operations: bool = False, **options: Any) -> Report:
    """As `ladder.compare`; of a user's pair single operations are watched too where no line places the first divergence."""
    report = compare(subject, operations=operations, **options)
    if not operations and subject.pair.names is not None and between_layers(report.first):
        report = compare(subject, operations=True, **options)
    return report

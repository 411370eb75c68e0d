"""The harness's own exam: real port bugs, put into the twin one at a time, must be found and placed; without them it must pass.

A fault of each stage by default; with `--exam` the whole catalogue.
"""

from __future__ import annotations

from collections.abc import Callable

from parity.faults import CATALOGUE
from parity.faults.exam import sit, sit_healthy
from parity.faults.score import Mark, mark_fault, mark_healthy


def test_a_fault_is_found_and_placed(fault: str, marked: Callable[[Mark], None]) -> None:
    grade, _ = sit(CATALOGUE[fault])
    marked(mark_fault(grade))
    assert grade.found, f"{fault} was not found"
    assert not grade.misplaced, f"{grade.misplaced}\n{grade.headline}"


def test_the_healthy_twin_passes_the_same_exam(subject: str, marked: Callable[[Mark], None]) -> None:
    report = sit_healthy(subject)
    marked(mark_healthy(subject, report.verdict))
    assert report.verdict == "same", f"{report.first}"
    assert not report.uncompared

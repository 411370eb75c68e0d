"""The harness's own exam: real port bugs, put into the twin one at a time, must be found and placed; without them it must pass.

A fault of each stage by default; with `--exam` the whole catalogue. All are made in parallel, before the first test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from parity.campaign.runs import Failed, Outcome
from parity.ugatit.faults import trials
from parity.ugatit.faults.score import Mark

pytestmark = [pytest.mark.timeout(1800), pytest.mark.xdist_group("exam")]  # of what `sat` makes


def test_a_fault_is_found_and_placed(fault: str, sat: Mapping[tuple[str, str], Outcome], marked: Callable[[Mark], None]) -> None:
    mark = _mark(sat["fault", fault])
    marked(mark)
    assert mark.outcome == "found and placed", f"{mark.result}\n{mark.headline}"


def test_the_healthy_twin_passes_the_same_exam(subject: str, sat: Mapping[tuple[str, str], Outcome],
                                               marked: Callable[[Mark], None]) -> None:
    mark = _mark(sat["healthy", subject])
    marked(mark)
    assert mark.outcome == "passed", mark.headline


def _mark(outcome: Outcome) -> Mark:
    if isinstance(outcome, Failed):
        pytest.fail(f"no result: {outcome.reason}\n{outcome.traceback}", pytrace=False)
    return trials.mark(outcome.result)

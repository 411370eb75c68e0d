"""The first training step, recorded whole, with faults in the twin: the ladder, its first broken rung, the place."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from parity.steps.follow import follow
from parity.steps.reference import ReferenceStep, record_reference
from parity.steps.runner import Followed
from parity.steps.summary import Summary
from parity.ugatit import faults
from parity.ugatit.explain import start as starting
from parity.ugatit.explain.networks import located
from parity.ugatit.explain.start import Start


def run(start: Start, names: Sequence[str]) -> dict:
    """One float64 step against the recorded reference: every line, layer, loss, gradient and update.

    Returns "verdict", "counts", "first" (a finding's JSON with the source lines, or None), "rungs" and "multiple": the
    largest noise floor multiple seen, of a value that has one. Raises what the faulty program raises while it is built.
    """
    with faults.inject(*names):
        result = follow(starting.training(start), steps=1, recorded=_recorded(start))
        summary = Summary([Followed(starting.training(start), result, 0.0)], steps=1, faults=names)
        report = result.report
        return {"verdict": summary.verdict, "counts": report.to_json()["counts"],
                "first": located(report.first) if report.first else None, "rungs": summary.rungs(),
                "multiple": max((value for stages in report.multiples.values() for value in stages.values()), default=0.0)}


@functools.lru_cache(maxsize=1)
def _recorded(start: Start) -> list[ReferenceStep]:
    return record_reference(starting.training(start), steps=1)

"""The checks: each takes a `Case` and yields findings. What no healthy run shows is an error, what is odd a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from parity.doctor.checks import amp, course, data, numbers, setup, source, state, step
from parity.doctor.checks.case import Case
from parity.doctor.finding import Finding

CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    *setup.CHECKS, *source.CHECKS, *amp.CHECKS, *step.CHECKS, *state.CHECKS, *numbers.CHECKS, *data.CHECKS, *course.CHECKS)

__all__ = ["CHECKS", "Case"]

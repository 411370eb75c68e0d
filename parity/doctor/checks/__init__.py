"""The checks: each takes a `Case` and yields findings. What no healthy run shows is an error, what is odd a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from parity.doctor.checks import (
    amp,
    course,
    data,
    decay,
    dependence,
    gradients,
    graph,
    holding,
    learning_rate,
    numbers,
    paddle_defaults,
    registration,
    shares,
    source,
    state,
    updates,
)
from parity.doctor.checks.case import Case
from parity.doctor.finding import Finding

_ROOMS = (holding, registration, paddle_defaults, source, amp, graph, gradients, updates, learning_rate, decay, state, numbers,
          dependence, data, shares, course)
CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = tuple(check for room in _ROOMS for check in room.CHECKS)

__all__ = ["CHECKS", "Case"]

"""Random numbers, where the module calls in which they are drawn do not tell which are whose, or whether they matter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from parity.trace.events import Event, Key
from parity.verdict.judge import is_result

if TYPE_CHECKING:
    from parity.compare.ladder import Both
    from parity.numbers.distributions import Drawn
    from parity.trace.events import Sink

_TRIED = (*(eighth / 8 for eighth in range(8)), 1.0 - 2.0 ** -24)
"""Instead of the uniform numbers that `numbers.distributions` makes everything of: both ends, as of a threshold between them one
tells, and what lies between, as of an interval (`0.3 < random() < 0.6`) no end does."""


def are_idle(both: Both, lane: str) -> bool:
    """Whether nothing is made of the numbers that either side has drawn without a counterpart: the side that draws them computes
    the same to the last bit with the smallest and the largest number there is in their place, and with some between
    (`random() < 0.0`).

    Asked of single numbers alone: several may be compared with one another.
    """
    ours, theirs = both.tape.lone
    drawn = [list(ours.values()), theirs]
    if not any(drawn) or not all(map(_is_single, (*drawn[0], *drawn[1]))):
        return False
    return all(_decide_nothing(both, side, lane) for side, lone in enumerate(drawn) if lone)


def _is_single(drawn: Drawn) -> bool:
    return drawn.is_of_uniform and math.prod(drawn.shape) == 1


def _decide_nothing(both: Both, side: int, lane: str) -> bool:
    run: Callable[[Sink], object] = (lambda sink: both.twin(lane, sink)) if side else (
        lambda sink: both.reference(lane, sink, measure=False))

    def promised(number: float | None) -> Mapping[Key, tuple[str, bytes] | None]:
        both.tape.instead = number
        try:
            sink = _Promised(both.subject.name)
            run(sink)
            return sink.seen
        finally:
            both.tape.instead = None
    drawn = promised(None)
    return bool(drawn) and all(promised(number) == drawn for number in _TRIED)


class _Promised:
    """A sink that keeps the bits of what a program returns, and of the gradients of its parameters."""

    keeps = False

    def __init__(self, name: str) -> None:
        self._name = name
        self.apart: set[str] = set()
        self.seen: dict[Key, tuple[str, bytes] | None] = {}

    def receive(self, event: Event) -> None:
        key, array = event.key, event.array
        if is_result(key, self._name) or (key.stage == "gradients" and not key.is_activation_gradient):
            self.seen[key] = None if array is None else (str(array.dtype), array.tobytes())

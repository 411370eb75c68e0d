"""Random numbers, where the module calls in which they are drawn do not tell which are whose, or whether they matter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from parity.trace.events import Event, Key
from parity.trace.thresholds import is_one_threshold, may_run_on
from parity.verdict.judge import is_result

if TYPE_CHECKING:
    from parity.compare.ladder import Both
    from parity.numbers.distributions import Drawn
    from parity.trace.events import Sink
    from parity.verdict.findings import Finding

_ENDS = (0.0, 1.0 - 2.0 ** -24)
"""Of the uniform numbers that `numbers.distributions` makes everything of."""


def are_idle(both: Both, lane: str, found: Iterable[Finding]) -> bool:
    """Whether nothing is made of the numbers that either side has drawn without a counterpart, which `found` tells of.

    Asked only of numbers each of which comes to one yes or no (`random() < 0.0`), and so to what one of the two ends gives: the
    side that draws them computes the same to the last bit with either end in the place of all, and with both ends in both orders
    in the places of any two, as a program may join their answers. What more than two have to join is not tried. Of a number that
    comes to more, no trial shows that it matters nowhere (`0.30 < random() < 0.31`).
    """
    drawn = [list(both.tape.lone[0].values()), both.tape.lone[1]]
    if not any(drawn) or not all(map(_is_single, (*drawn[0], *drawn[1]))):
        return False
    sites = [finding.reference or finding.twin for finding in found]
    of_two = all(one.kind == "bernoulli" for one in (*drawn[0], *drawn[1]))
    if any(map(may_run_on, sites)) or not (of_two or all(map(is_one_threshold, sites))):
        return False
    return all(_decide_nothing(both, side, lane, len(lone)) for side, lone in enumerate(drawn) if lone)


def _is_single(drawn: Drawn) -> bool:
    return drawn.is_of_uniform and math.prod(drawn.shape) == 1


def _decide_nothing(both: Both, side: int, lane: str, count: int) -> bool:
    run: Callable[[Sink], object] = (lambda sink: both.twin(lane, sink)) if side else (
        lambda sink: both.reference(lane, sink, measure=False))

    def promised(instead: Callable[[int], float] | None) -> Mapping[Key, tuple[str, bytes] | None]:
        both.tape.instead = instead
        try:
            sink = _Promised(both.subject.name)
            run(sink)
            return sink.seen
        finally:
            both.tape.instead = None
    drawn = promised(None)
    return bool(drawn) and all(promised(instead) == drawn for instead in _tried(count))


def _tried(count: int) -> Iterator[Callable[[int], float]]:
    """Ends for `count` numbers: any two are at all four pairs of ends in one of these, as their places differ in a binary digit."""
    yield from (lambda before, end=end: end for end in _ENDS)
    for digit in range((count - 1).bit_length()):
        yield lambda before, digit=digit: _ENDS[before >> digit & 1]
        yield lambda before, digit=digit: _ENDS[1 - (before >> digit & 1)]


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

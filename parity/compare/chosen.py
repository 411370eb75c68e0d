"""What a choice has thrown away acquits nothing: other weights choose otherwise.

A beam search that forgets to reorder its cells returns the right words where no wrong row is chosen, and no gradient comes back
from the others; an expert to which nothing is sent may be any. Where the reference makes choices, and not everything was compared,
it takes other weights to tell whether these hide something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from parity.numbers.noise import generator
from parity.trace.events import PRECISIONS, Key
from parity.trace.thresholds import may_run_on
from parity.verdict.findings import Finding, Report
from parity.verdict.sinks import Store

if TYPE_CHECKING:
    from parity.compare.ladder import Both, Kept, Progress

TRIALS, FEW, MANY_WEIGHTS = 16, 4, 1 << 20
"""Other weights that are tried; fewer of a program with so many that a pass is no small matter. Of beam searches of three steps
that hide what they forget each shows about every other one (tests/compare/test_chosen.py counts)."""

SPREAD = 1.0
"""Of the logarithm of what an element is multiplied with. It changes no sign, which a scale or a variance may have to keep."""


def may_hide(both: Both, kept: Kept, report: Report, tell: Progress) -> bool:
    """Whether something in the forward was not compared, and the reference makes choices. kept: its runs, of which one has noted
    the choices, or another will. Not asked of a program with a loop that with other weights may not end."""
    events = (kept.truth or (kept.passed and kept.passed.truth) or Store()).events
    if both.subject.own_weights or any(map(may_run_on, {event.site for event in events.values()})):
        return False
    if not (any(map(_is_of_the_forward, report.uncompared)) or _some_never_ran(both, events)):
        return False
    noted = kept.truth or (kept.passed and kept.passed.left) or Store()
    both.note_choices(noted, tell)
    return noted.choices is not None and noted.choices.throw_away


def trials(both: Both) -> int:
    """How many other weights are tried."""
    return TRIALS if sum(array.size for array in both.subject.state.values()) <= MANY_WEIGHTS else FEW


def _is_of_the_forward(finding: Finding) -> bool:
    return finding.key.stage in ("forward", "losses") and finding.key.variable not in PRECISIONS


def _some_never_ran(both: Both, events: Iterable[Key]) -> bool:
    """Whether a module that has weights shows nothing in the forward of what is at hand."""
    ran = {key.module for key in events if key.stage in ("forward", "losses")}
    return any(".".join(filter(None, (both.subject.name, entry.source.rpartition(".")[0]))) not in ran
               for entry in both.entries().values())


@contextmanager
def weighed_otherwise(both: Both, number: int) -> Iterator[None]:
    """Runs of both with other weights: of each parameter the elements in another order, each times a number of its own.
    Parameters of one shape change alike, so that those which are one stay one."""
    asked, buffers = both.subject, both.frameworks[0].buffers(both.models[0])

    def other(name: str, array: np.ndarray) -> np.ndarray:
        if name in buffers or array.dtype.kind not in "fc":
            return array
        drawn = generator("other weights", asked.seed, asked.training, number, *array.shape)
        shuffled = drawn.permutation(array.ravel()).reshape(array.shape)
        return np.asarray(shuffled * np.exp(SPREAD * drawn.standard_normal(array.shape)), array.dtype)

    both.subject = replace(asked, state={name: other(name, array) for name, array in asked.state.items()})
    try:
        yield
    finally:
        both.subject = asked

"""Two values that diverged, with what is known of where they come from: what causes are read off."""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.numbers.arrays import ACCOUNTED, coarsest
from parity.trace.events import Event

ROUNDING = 1e-6
"""Values that agree to so much, relative to the largest, count as equal here: Paddle keeps many of its factors in float32
(6e-8), and a cause is looked for only where the values are known to differ."""


STATEMENT = 12  # lines of a statement that are read at most


@dataclass(frozen=True)
class Evidence:
    """Two values that diverged, and the events that brought them.

    held: what the value's module held before the run, by name (weight, running_mean), where that is known. others: the reference's
    values that the twin might have taken in its place.
    """

    reference: np.ndarray
    twin: np.ndarray
    event: Event
    partner: Event | None = None
    held: Mapping[str, np.ndarray] = field(default_factory=dict)
    others: Iterable[Event] = ()

    def argument(self, name: str, calls: tuple[str, ...], side: str = "reference") -> Any:
        """A constant handed by keyword to one of these calls in the side's statement; None where there is none."""
        return next((constant(word.value) for call in self.calls(calls, side) for word in call.keywords if word.arg == name), None)

    def calls(self, names: tuple[str, ...], side: str = "reference") -> Iterator[ast.Call]:
        """The calls of these functions or classes in the side's statement, whatever they are attributes of."""
        event = self.event if side == "reference" else self.partner
        for node in ast.walk(statement(event)) if event is not None else ():
            if isinstance(node, ast.Call) and called(node) in names:
                yield node

    def explained_by(self, model: np.ndarray) -> bool:
        """Whether these are the twin's values but for rounding, and what they leave of the distance is next to nothing."""
        left, right = self.reference.astype(np.float64), self.twin.astype(np.float64)
        if model.shape != right.shape or left.shape != right.shape or not right.size:
            return False
        rounding = max(ROUNDING, 1e3 * coarsest(self.reference.dtype, self.twin.dtype))
        allowed = min(ACCOUNTED * np.abs(right - left).max(), rounding * max(np.abs(left).max(), np.abs(right).max()))
        return bool(np.abs(right - model).max() <= allowed)


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or not a.size:
        return False
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(np.abs(a - b).max()) <= ROUNDING * float(np.abs(a).max())


def statement(event: Event) -> ast.AST:
    """The statement that made a value, over as many lines as it takes, or where its file is elsewhere its first; an empty module
    where it is not to be read."""
    text = ""
    for line in range(event.site.line, event.site.line + STATEMENT) if event.site is not None else ():
        if not (more := linecache.getline(event.site.file, line)):
            break
        text += more
        try:
            return ast.parse(textwrap.dedent(text))
        except SyntaxError:
            continue
    try:
        return ast.parse(event.site.text if event.site is not None else "")
    except SyntaxError:
        return ast.Module([], [])


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def constant(node: ast.AST) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None

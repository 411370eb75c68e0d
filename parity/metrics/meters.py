"""A metric of either side behind one face: hand it batches, and see what it says after each, and at the end."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.asked import SIDES
from parity.blame import hand_on
from parity.declare.metric import Batch, handed
from parity.files import InputError
from parity.frameworks import FRAMEWORKS
from parity.frameworks.values import arrays_of

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Read:
    """What a metric said: after each update, and at the end of all."""

    after: list[Values]
    end: Values


class Meter:
    """A user's metric. adds_up: whether it is an object that is updated, and no function of a batch; known once it was read."""

    def __init__(self, declared: Callable[..., Any], side: int) -> None:
        self._declared, self._side, self._framework = declared, side, FRAMEWORKS[side]
        self._builds = _without_arguments(declared)
        self.adds_up = False

    def read(self, batches: Sequence[Batch]) -> Read:
        """Begin anew, and take these. A function is also called once on all of them together, where their arrays can be joined.

        Raises InputError where it is no metric, and whatever the metric raises.
        """
        made = hand_on(self._declared) if self._builds else self._declared
        self.adds_up = hasattr(made, "update")
        if self.adds_up:
            after = [self._updated(made, batch) for batch in batches]
            return Read(after, after[-1])
        if not callable(made):
            raise InputError(f"Metric, {SIDES[self._side]}: expected an object with `update` and `compute` or `accumulate`, or a "
                             f"function of a batch, found {type(made).__qualname__}")
        after = [self._values(hand_on(made, *given[0], **given[1])) for given in map(self._handed, batches)]
        joined = _joined(batches)
        if joined is None:
            return Read(after, after[-1])
        arguments, keywords = self._handed(joined)
        return Read(after, self._values(hand_on(made, *arguments, **keywords)))

    def _updated(self, made: Any, batch: Batch) -> Values:
        arguments, keywords = self._handed(batch)
        if hasattr(made, "accumulate"):  # paddle.metric: what `compute` makes of a batch is what `update` takes
            if hasattr(made, "compute"):
                counted = hand_on(made.compute, *arguments, **keywords)
                arguments, keywords = (tuple(counted) if isinstance(counted, (list, tuple)) else (counted,)), {}
            hand_on(made.update, *arguments, **keywords)
            return self._values(hand_on(made.accumulate))
        hand_on(made.update, *arguments, **keywords)
        if not hasattr(made, "compute"):
            raise InputError(f"Metric, {SIDES[self._side]}: {type(made).__qualname__} has `update`, and neither `compute` nor "
                             f"`accumulate`; give it one that returns the value")
        return self._values(hand_on(made.compute))

    def _handed(self, batch: Batch) -> tuple[tuple, dict]:
        return handed(batch, self._framework.tensor)

    def _values(self, value: Any) -> Values:
        arrays, unknown = arrays_of(value)
        if unknown or not arrays or any(array is None or array.dtype.kind not in "fiub" for array in arrays.values()):
            found = ", ".join(unknown.values()) or type(value).__qualname__
            raise InputError(f"Metric, {SIDES[self._side]}: expected numbers of a metric, found {found}; return a number, a "
                             f"tensor, or several of them")
        return arrays


def _without_arguments(declared: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(declared).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [one for one in parameters if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    return not needed and (isinstance(declared, type) or not any(one.kind is one.VAR_POSITIONAL for one in parameters))


def _joined(batches: Sequence[Batch]) -> Batch | None:
    """All batches as one; None where there is one only, or where they have no rows to be joined."""
    nest, first = batches[0]
    if len(batches) < 2 or not first or any(arrays.keys() != first.keys() for _, arrays in batches):
        return None
    try:
        return nest, {path: np.concatenate([arrays[path] for _, arrays in batches]) for path in first}
    except ValueError:
        return None

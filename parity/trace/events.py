"""What is recorded: an `Event` is one value that a program computed, its `Key` says which one it is; a `Sink` takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from parity.numbers.distributions import Drawn
from parity.trace.source import Site

AUTOCAST = "autocast"  # the name under which it is told that a program has turned it on, and for which precision
IN_HALF = "products under autocast"  # those of a module call
IN_FULL = "products beside autocast"
REDUCED = "norms, losses and sums in half precision"
PRECISIONS = (AUTOCAST, IN_HALF, IN_FULL, REDUCED)
CLEARED = " (cleared)"  # of a gradient, as it is when an optimizer clears it: there, none and zeros are not the same
OPERATION = "operation"  # stands for the function where a value is the result of a single operation


def is_inside(path: str, module: str) -> bool:
    """Whether a module's dotted path leads into that other module; "" is around all."""
    return path != module and path.startswith(f"{module}." if module else "")


class Key(NamedTuple):
    """What makes two values of two programs *the same value*: matching is by equality of keys."""

    stage: str  # census, data, forward, losses, gradients, update, state
    step: int
    phase: str | None  # D, G or None
    module: str  # dotted path, as in the state dict; "" at top level
    call: int  # the module's how-manieth call, from 0
    function: str  # "" at the border of a module (inputs, outputs, parameters), else the function's name
    frame: int  # the function's how-manieth run within that module call
    variable: str  # local name, with the access path inside nests: "x", "outs[1]", "input[0]", "output"
    occurrence: int  # how-manieth binding of that name

    @property
    def is_local(self) -> bool:
        """A local variable: without a partner it is *uncompared*. Everything else must have one."""
        return self.function != ""

    @property
    def is_activation_gradient(self) -> bool:
        return self.stage == "gradients" and (self.is_local or self.variable.startswith(("input", "output")))

    def is_inside(self, module: str) -> bool:
        """Whether it is of a module inside of that one; "" is around all."""
        return is_inside(self.module, module)

    def __str__(self) -> str:
        where = self.module or "(top level)"
        if self.call:
            where += f" call {self.call + 1}"
        name = f"{self.function}: {self.variable}" if self.function else self.variable
        again = f" (binding {self.occurrence + 1})" if self.occurrence else ""
        return f"{self.stage} {where} {name}{again}"


@dataclass(slots=True)
class Event:
    """One value that a program computed.

    array: the value, or None for a gradient that does not exist. `scale`: the largest magnitude that entered the
    operation. `unit`: the same x sqrt(terms reduced); times eps(dtype) it is what one operation's rounding may do to
    the value. Both are recorded where asked for (`Run.measure`), else 0.
    """

    key: Key
    order: int
    site: Site | None
    array: np.ndarray | None
    built: Site | None = None
    called: Site | None = None
    scale: float = 0.0
    unit: float = 0.0
    largest: float | None = None  # of the value itself, where it was measured
    norm: bool = False  # compare by 2-norms: one element of an Adam update may flip its sign by rounding alone
    borders: tuple[float, ...] | None = None  # of its strata (`numbers.strata`), once they have been looked for
    unknown: str | None = None  # of what type a result is that cannot be compared
    drawn: Drawn | None = None  # where it is no value, but tells of random numbers that were drawn

    @property
    def dtype(self) -> np.dtype | None:
        """Of the array; None where there is none. (To ask for the array may mean to read a file.)"""
        return None if self.array is None else self.array.dtype

    @property
    def size(self) -> int:
        """Elements of the array; 0 where there is none."""
        return 0 if self.array is None else self.array.size


class Sink(Protocol):
    """Where events go. `keeps` says whether arrays outlive `receive`, and so must be copies. apart: paths of modules whose
    results no replay can replace (`Borders.apart`), added when a recording ends."""

    keeps: bool
    apart: set[str]

    def receive(self, event: Event) -> None: ...


class Replayed(Protocol):
    """Values to go on with in a replay."""

    def __contains__(self, key: Key) -> bool: ...

    def value(self, key: Key, dtype: str) -> np.ndarray: ...

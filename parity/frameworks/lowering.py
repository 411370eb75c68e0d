"""Where a program asks for a lower precision (autocast), and what it would compute in it.

On the CPU Paddle lowers nothing, and neither framework lowers float64; so no number tells of it there. A region is seen where it
begins; in it, and for what comes out of it, each operation is asked whether a GPU would compute it in half precision:

- products (`PRODUCTS`: those that both frameworks lower) are computed in half inside a region, in full outside;
- what both frameworks compute in full (`FULL`: softmax, norms, losses, sums) is in full inside a region (of Paddle's O1), and
  outside in half where all that it is given is in half;
- casts say it themselves; what else there is goes by what it is given.

Which operations the frameworks treat alike, and which not, is measured: docs/autocast.md.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from parity.messages import say

PRODUCTS, FULL = "products", "full"
UNLOWERED = say("Autocast was left out on both sides, as Paddle has none on the CPU: what it asks for was compared, call by call, "
                "and all values in the lane's precision. What half precision does to the values was not compared")


class Asked(NamedTuple):
    """What a region asks for. level: Paddle's; torch knows one. black: operations that it computes in full, by their common names;
    None: all of FULL. white: operations that it lowers beside the products."""

    dtype: str
    level: str = "O1"
    black: frozenset[str] | None = None
    white: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.dtype if self.level == "O1" else f"{self.dtype} {self.level}"


class Lowered:
    """What one run of a program asks for, and what is in half precision then.

    is_asked_for: whether there was a region. begins: called where a region begins, with what it asks for. computes: called for each
    product with its half precision, or None, and for each operation of FULL that is in half: (kind, dtype).
    """

    def __init__(self, begins: Callable[[Asked], None], computes: Callable[[str, str | None], None]) -> None:
        self._begins, self._computes = begins, computes
        self._regions: list[Asked | None] = []
        self.is_asked_for = False
        self._halves: dict[int, tuple[weakref.ref, str]] = {}

    def enter(self, asked: Asked | None) -> None:
        """A region begins; None: one in which nothing is lowered."""
        self._regions.append(asked)
        if asked is not None:
            self.is_asked_for = True
            self._begins(asked)

    def leave(self) -> None:
        self._regions.pop()

    def computed(self, kind: str | None, name: str, given: Iterable[Any], results: Iterable[Any]) -> None:
        """An operation. kind: PRODUCTS, FULL or None. given, results: its floating-point tensors."""
        region = self._regions[-1] if self._regions else None
        held = [self._half(tensor) for tensor in given]
        half = held[0] if held and None not in held else None  # of both kinds: promoted
        if region is not None:
            black = kind == FULL if region.black is None else name in region.black
            lowers = kind == PRODUCTS or name in region.white or region.level == "O2"
            half = None if black else region.dtype if lowers else half
        if kind == PRODUCTS or (kind == FULL and half is not None):
            self._computes(kind, half)
        self.mark(results, half)

    def mark(self, tensors: Iterable[Any], dtype: str | None) -> None:
        """These are in that half precision, or (None) in full."""
        for tensor in tensors:
            place = id(tensor)
            self._halves.pop(place, None)
            if dtype is not None:
                self._halves[place] = weakref.ref(tensor, lambda ref, place=place: self._drop(place, ref)), dtype

    def carry(self, tensor: Any, other: Any) -> None:
        """Another one takes its place."""
        self.mark([other], self._half(tensor))

    def _half(self, tensor: Any) -> str | None:
        ref, dtype = self._halves.get(id(tensor), (None, None))
        return dtype if ref is not None and ref() is tensor else None

    def _drop(self, place: int, ref: weakref.ref) -> None:
        if self._halves.get(place, (None,))[0] is ref:
            del self._halves[place]

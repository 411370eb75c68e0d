"""The same results in another container: a dict here, a tuple there.

What each module call of the reference returned is kept by its access paths; the twin's results go by these where theirs differ in
the container alone. Equal names belong together whatever holds them, and their order means nothing; a number in a tuple stands for
the name that is as far in a dict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Results:
    """(module path, number of the call) -> access paths of what the reference returned there, in its order. more: where both run
    in turns, lets the reference go on; False where it has ended."""

    def __init__(self) -> None:
        self.more: Callable[[], bool] = lambda: False
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}
        self._tensors: dict[tuple[str, int], tuple[str, ...]] = {}

    def of(self, side: int) -> SideResults:
        """As one side asks for them: 0 the reference, 1 the twin."""
        return SideResults(self, side)

    def named(self, side: int, path: str, number: int, places: Sequence[str], *, waits: bool = False) -> dict[str, str]:
        """Access path -> that of the reference. side: 0, the reference, whose own are kept, or 1. waits: for the reference, if it
        has not returned there yet."""
        if side == 0:
            self._known[path, number] = tuple(places)
        while waits and (path, number) not in self._known and self.more():
            pass
        return _as_in(self._known.get((path, number), ()), places)

    def variables(self, side: int, path: str, number: int, names: Sequence[str]) -> list[str]:
        """The names of the tensors that a call returns, whose side has these for them. Where one side returns one alone and the
        other several (the weights of an attention beside what it makes), it is the first of those."""
        if side == 0:
            self._tensors[path, number] = tuple(names)
        theirs = self._tensors.get((path, number), ())
        lone = len(theirs) != len(names) and 1 in (len(theirs), len(names)) and theirs and names
        return [theirs[0], *names[1:]] if lone else list(names)


class SideResults(NamedTuple):
    """`Results`, for one side."""

    results: Results
    side: int

    def named(self, path: str, number: int, places: Sequence[str], *, waits: bool = False) -> dict[str, str]:
        return self.results.named(self.side, path, number, places, waits=waits)

    def variables(self, path: str, number: int, names: Sequence[str]) -> list[str]:
        return self.results.variables(self.side, path, number, names)


def _as_in(reference: Sequence[str], places: Sequence[str]) -> dict[str, str]:
    same = dict(zip(places, places, strict=True))
    if not reference or set(reference) == set(places) or len(reference) != len(places):
        return same
    if len(places) == 1:
        return {places[0]: reference[0]}
    by_name = {_bare(place): place for place in reference}
    if len(by_name) == len(reference) and set(by_name) == {_bare(place) for place in places}:
        return {place: by_name[_bare(place)] for place in places}
    if all(map(_is_numbered, places)) != all(map(_is_numbered, reference)):
        return dict(zip(places, reference, strict=True))
    return same


def _bare(place: str) -> tuple[str, ...]:
    """The names in it: "['a'][0]" and ".a[0]" are one."""
    return tuple(re.findall(r"\w+", place))


def _is_numbered(place: str) -> bool:
    return all(name.isdecimal() for name in _bare(place))

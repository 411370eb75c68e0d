"""Values that the other side computes as well, under another name: which name is whose partner, programs that were written apart
do not say.

Whether two arrays hold the same numbers, whatever their shape, is told by a few sums over them (`prints.Print`), so that no array
of the twin's has to be kept. What is known in this way is right. It makes no verdict: of what `same` promises it is not asked.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping

from parity.trace.events import Event, Key
from parity.verdict.flow import local_name
from parity.verdict.prints import FEW, Print, is_printed, print_of


class Elsewhere:
    """ours: the reference's events. theirs: prints of the twin's values that have no partner, or are off. agreeing: keys of values
    that both have, and that are the same."""

    def __init__(self, ours: Mapping[Key, Event], theirs: Mapping[Key, Print], agreeing: set[Key]) -> None:
        self._ours, self._theirs, self._agreeing = ours, theirs, agreeing
        self._print_of = functools.cache(lambda key: print_of(self._ours[key].array) if is_printed(key) else None)

    def in_twin(self, key: Key) -> bool:
        """Whether the twin has this value of the reference's under another name."""
        return any(self._twins(key))

    def in_reference(self, key: Key) -> bool:
        """Whether the reference has this value of the twin's under another name."""
        return any(self._references(key))

    def known(self, key: Key) -> bool:
        """Of what one side alone gives to a module: whether the other gives it to the same call, in another place. Of a module that
        one side alone calls: whether all that it returns is on the other side, too, or is what it was given (dropout in eval)."""
        if any(other[:5] == key[:5] and not other.is_local for other in self._agreeing):
            return any(other[:5] == key[:5] and not other.is_local for other in self._others(key))
        border = [other for other in (*self._ours, *self._theirs) if other[:5] == key[:5] and not other.is_local]
        returned = [other for other in border if other.variable.startswith("output")]
        given = list(filter(None, (self._own_print(other) for other in border if other.variable.startswith("input"))))
        return bool(returned) and all(any(self._others(other)) or self._is_one_of(other, given) for other in returned)

    def returned(self, key: Key) -> bool:
        """Whether what the reference returns from a module's call is returned by the twin's in another place."""
        others = self._twins(key) if key in self._ours else ()
        border = (other for other in others if other[:5] == key[:5] and not other.is_local)
        return any(other.variable.startswith("output") for other in border)

    def renamed(self, key: Key) -> bool:
        """Whether two locals of one name, whose values differ, are two values that both sides have, each of which has on the
        other side a name that this side does not know: one name for two things."""
        ours, theirs = self._print_of(key), self._theirs.get(key)
        apart = ours is not None and theirs is not None and not ours.same_numbers(theirs)
        return apart and self._is_named_otherwise_here(key) and self._is_named_otherwise_there(key)

    def misnamed(self, key: Key) -> bool:
        """The same of two locals of other shapes: whether one of the two is on the other side, under a name that this side does not
        know."""
        return self._is_named_otherwise_here(key) or self._is_named_otherwise_there(key)

    def _is_named_otherwise_here(self, key: Key) -> bool:
        return _are_strange(self._references(key), key, self._names_there)

    def _is_named_otherwise_there(self, key: Key) -> bool:
        return _are_strange(self._twins(key), key, self._names_here)

    def _own_print(self, key: Key) -> Print | None:
        return self._print_of(key) if key in self._ours else self._theirs.get(key)

    def _is_one_of(self, key: Key, given: list[Print]) -> bool:
        mark = self._own_print(key)
        return mark is not None and any(mark.shape == other.shape and mark.alike(other) for other in given)

    def _others(self, key: Key) -> Iterator[Key]:
        """The names that the other side has for a value that one side alone has by this one."""
        return self._twins(key) if key in self._ours else self._references(key)

    def _references(self, key: Key) -> Iterator[Key]:
        """The reference's names for a value of the twin's."""
        mark = self._theirs.get(key)
        return iter(()) if mark is None else self._of_print(mark, key)

    def _twins(self, key: Key) -> Iterator[Key]:
        """The twin's names for a value of the reference's."""
        mark = self._print_of(key)
        if mark is not None:
            yield from (other for other, found in self._theirs.items() if other != key and mark.alike(found))
            yield from (other for other in self._of_print(mark, key) if other in self._agreeing)

    def _of_print(self, mark: Print, key: Key) -> Iterator[Key]:
        for other in self._of_size.get(mark.size, ()):
            if other != key and other[:3] == key[:3] and (found := self._print_of(other)) is not None and mark.alike(found):
                yield other

    @functools.cached_property
    def _of_size(self) -> dict[int, list[Key]]:
        found: dict[int, list[Key]] = {}
        for key, event in self._ours.items():
            if is_printed(key) and event.size >= FEW:
                found.setdefault(event.size, []).append(key)
        return found

    @functools.cached_property
    def _names_here(self) -> dict[tuple, set[str]]:
        return _names(self._ours)

    @functools.cached_property
    def _names_there(self) -> dict[tuple, set[str]]:
        return _names([*self._agreeing, *self._theirs])


def _are_strange(others: Iterable[Key], key: Key, names: Mapping[tuple, set[str]]) -> bool:
    """Whether there are such, and none of them is a local of the same call by a name that the function binds on the other side,
    too: of two values that were exchanged each has the other's name."""
    others = list(others)
    return bool(others) and not any(
        other.is_local and other[:6] == key[:6] and local_name(other) in names.get(key[3:6], ()) for other in others)


def _names(keys: Iterable[Key]) -> dict[tuple, set[str]]:
    """(module, call, function) -> the names that its lines bind."""
    names: dict[tuple, set[str]] = {}
    for key in keys:
        if is_printed(key) and key.is_local:
            names.setdefault(key[3:6], set()).add(local_name(key))
    return names

"""Which is which, where names, types, shapes and order are silent: what the two programs compute tells.

Tried are the layouts of square matrices that no layer type tells, and the partners of layers that are alike, have unlike names,
and stand among others that the two sides define in another order. An alternative counts only if with it both programs return the
same, or, where no alternative makes them, if more of what their modules return agrees; else what was guessed stays.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from parity.messages import Message, say, some

TRIES = 48
"""Runs of the twin, each a forward, that are made at most."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Choice:
    """One way to settle what is open. names: reference path -> twin path. turned: the reference's names of the square matrices that
    lie the other way than guessed."""

    names: Mapping[str, str] = field(default_factory=dict)
    turned: frozenset[str] = frozenset()

    def with_(self, names: Mapping[str, str], turned: Iterable[str]) -> Choice:
        return Choice({**self.names, **names}, self.turned ^ frozenset(turned))

    def said(self) -> Message:
        told = [f"{one} = {other}" for one, other in self.names.items()]
        told += [say("{name} lies the other way", name=name) for name in sorted(self.turned)]
        return say("told by what both compute, where names and order are silent: {pairs}", pairs=some(told, 6))


def settled(open_: Iterable[Pairs], doubtful: Iterable[str], agreeing: Callable[[Choice], tuple[bool, int]]) -> Choice:
    """The choice with which both programs return the same; where there is none, the layouts that come nearest to it. The empty one
    where the guess is that.

    open_: groups of (reference path, twin path), in each of which any might be another's. agreeing: a choice -> whether both return
    the same, and how many of the values at the borders of modules agree.
    """
    best = Choice()
    same, most = agreeing(best)
    left, ways = TRIES, _ways(open_, sorted(doubtful))
    gained = True
    while gained and not same:  # what makes no difference behind something wrong makes one when that is right
        gained = False
        for way in ways:
            found = best
            for names, turned in way:
                if same or not left:
                    break
                left -= 1
                tried = best.with_(names, turned)
                same, count = agreeing(tried)
                if same or count > most:
                    found, most, gained = tried, count, True
            best = found
    return best if same else Choice(turned=best.turned)


def _ways(open_: Iterable[Pairs], doubtful: Iterable[str]) -> list[list[tuple[dict[str, str], list[str]]]]:
    """What can be changed, one after the other: each as the other ways that there are. What has the same names but for numbers (the
    same layer of each block) is changed together."""
    matrices: dict[str, list[str]] = {}
    for name in doubtful:
        matrices.setdefault(_numberless(name), []).append(name)
    ways: list[list[tuple[dict[str, str], list[str]]]] = [[({}, names)] for names in matrices.values()]
    alike: dict[tuple, list[Pairs]] = {}
    for group in open_:
        if len(group) <= 4:
            alike.setdefault(tuple(map(_numberless, itertools.chain(*group))), []).append(group)
    for groups in alike.values():
        orders = list(itertools.permutations(range(len(groups[0]))))[1:]
        ways.append([({group[place][0]: group[other][1] for group in groups for place, other in enumerate(order)}, [])
                     for order in orders])
    return ways


def _numberless(name: str) -> str:
    return re.sub(r"\d+", "#", name)

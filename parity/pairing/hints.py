"""What names tell of which is which, where several are alike: `query` is `q_proj`, and `fc1` comes before `fc2`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import reduce


def plain(name: str) -> str:
    """The name without what is a matter of style: case, underscores."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def nameless(message: str) -> str:
    """A message without the tensor's name that it says."""
    return re.sub(r"(has no|Paddle's) [\w.]+", r"\1", message)


def near(name: str, known: Iterable[str]) -> str:
    """For a message: the known names that are most like it."""
    found = get_close_matches(name, list(known), 3, 0.5)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def likeness(one: str, other: str) -> float:
    """How much the last parts of two names are alike: 2 the same, else the share of the words that they have in common."""
    one, other = one.rpartition(".")[2], other.rpartition(".")[2]
    if plain(one) == plain(other):
        return 2.0
    mine, others = _words(one), _words(other)
    return sum(_meet({word}, others) for word in mine) / max(len(mine), len(others), 1)


def assigned(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[tuple[int, int]], bool]:
    """(pairs of places, whether names alone told all of them), of two lists of equal length, each in the order of definition.

    Words that all names of a side share tell nothing. A word and its beginning are one (`k` and `key`). What one word alone can
    mean is settled first, the rest goes by its numbers, then by the order of definition.
    """
    words = [[_words(name) for name in names] for names in (ours, theirs)]
    words = [[found - reduce(set.__and__, side) for found in side] for side in words] if len(ours) > 1 else words
    wanted = [{there for there, others in enumerate(words[1]) if _meet(mine, others)} for mine in words[0]]
    pairs = [(here, there) for here, found in enumerate(wanted) if len(found) == 1 for there in found
             if sum(there in others for others in wanted) == 1]
    told = len(pairs) >= len(ours) - 1  # the last one has nothing else left
    rest = [[place for place in range(len(names)) if place not in {pair[side] for pair in pairs}]
            for side, names in enumerate((ours, theirs))]
    numbers = [[_numbers((ours, theirs)[side][place]) for place in places] for side, places in enumerate(rest)]
    if all(len(set(side)) == len(side) and all(side) for side in numbers):
        told = told or (sorted(numbers[0]) == sorted(numbers[1]) and not any(any(side) for side in words))
        rest = [[place for _, place in sorted(zip(side, places, strict=True))] for side, places in zip(numbers, rest, strict=True)]
    return sorted([*pairs, *zip(*rest, strict=True)]), told


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", name)))


def _meet(ours: set[str], theirs: set[str]) -> bool:
    return any(one.startswith(other) or other.startswith(one) for one in ours for other in theirs)

"""The order in which an epoch hands out its samples: what is different about the twin's, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

Batches = Sequence[Sequence[Any]]


def flat(batches: Batches) -> list[Any]:
    """The numbers of an epoch, one after the other."""
    return [number for batch in batches for number in batch]


def difference(reference: Batches, twin: Batches, earlier: tuple[Batches, Batches] | None) -> tuple[str, str | None] | None:
    """(what differs, the likely cause) of an epoch's batches of sample numbers; None where they are the same.

    earlier: the same of the epoch before.
    """
    ours, theirs = flat(reference), flat(twin)
    if [list(batch) for batch in reference] == [list(batch) for batch in twin]:
        return None
    if ours == theirs:
        return _sizes(reference, twin), "another batch size"
    for longer, shorter, side in ((reference, twin, "the twin"), (twin, reference, "the reference")):
        if longer[:-1] and [list(one) for one in longer[:-1]] == [list(one) for one in shorter]:
            return (f"{len(reference)} batches in the reference, {len(twin)} in the twin",
                    f"{side} drops the last batch, of {len(longer[-1])} samples (drop_last)")
    both = f"{len(ours)} samples in the reference, {len(theirs)} in the twin" if len(ours) != len(theirs) else _first(ours, theirs)
    return both, _cause(ours, theirs, earlier)


def _cause(ours: list[Any], theirs: list[Any], earlier: tuple[Batches, Batches] | None) -> str | None:
    if earlier is not None:
        repeats = [now == flat(before) for now, before in zip((ours, theirs), earlier, strict=True)]
        if repeats in ([False, True], [True, False]):
            side = "the twin" if repeats[1] else "the reference"
            return f"{side} repeats its order of the epoch before: it is not shuffled anew"
    counted = [Counter(map(repr, one)) for one in (ours, theirs)]
    if counted[0] == counted[1]:
        plain = [one == sorted(one, key=_key) for one in (ours, theirs)]
        if plain == [True, False]:
            return "the same samples in another order: the twin is shuffled, the reference is not"
        if plain == [False, True]:
            return "the same samples in another order: the reference is shuffled, the twin is not"
        return "the same samples in another order: another sampler"
    for counts, side, others in ((counted[0], "the reference", counted[1]), (counted[1], "the twin", counted[0])):
        if max(counts.values(), default=0) > 1 >= max(others.values(), default=0):
            return f"{side} hands out a sample more than once in an epoch (drawn with replacement)"
    if len(ours) != len(theirs) and ours[:min(len(ours), len(theirs))] == theirs[:min(len(ours), len(theirs))]:
        return "one side ends early: another length of the dataset, or of the sampler"
    return None


def _key(number: Any) -> tuple[str, Any]:
    return (type(number).__name__, number) if isinstance(number, str) else ("", number)


def _sizes(reference: Batches, twin: Batches) -> str:
    place = next(place for place, (one, other) in enumerate(zip(reference, twin, strict=False)) if len(one) != len(other))
    return f"batch {place + 1} has {len(reference[place])} samples in the reference, {len(twin[place])} in the twin"


def _first(ours: list[Any], theirs: list[Any]) -> str:
    place = next(place for place, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other)
    return f"sample {place + 1} of the order is number {ours[place]} in the reference, number {theirs[place]} in the twin"

"""Two samples that differ: how far, by which step first, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parity.data.chain import TRANSFORM, Made, Step
from parity.data.draws import Place
from parity.data.findings import Discrepancy
from parity.numbers import pictures
from parity.numbers.arrays import coarsest, deviation, resemblance
from parity.numbers.noise import M

Arrays = tuple[np.ndarray | None, np.ndarray | None]


def paired(ours: Made, theirs: Made) -> tuple[list[tuple[str, Arrays]], str | None]:
    """(access path, the two arrays) of what both hand out, by path; by order where the paths are others and as many. And what is
    wrong with the structure, if so."""
    left, right = ours.arrays, theirs.arrays
    if left.keys() == right.keys():
        return [(path, (left[path], right[path])) for path in left], None
    if len(left) == len(right):
        return [(path, (left[path], right[other])) for path, other in zip(left, right, strict=True)], None
    names = [", ".join(arrays) or "none" for arrays in (left, right)]
    return [], f"{len(left)} values in the reference ({names[0]}), {len(right)} in the twin ({names[1]})"


def bound(arrays: Arrays, largest: float) -> float:
    """What rounding may do: M roundings of the largest number on the way (the harness's M; a pipeline has fewer operations, and
    each rounds by half an eps at most). Integers, truth values and texts are exact."""
    floats = [one.dtype for one in arrays if one is not None and one.dtype.kind == "f"]
    return M * coarsest(*floats) * largest if floats else 0.0


def differs(arrays: Arrays, largest: float) -> str | None:
    """What differs between two arrays, in words; None where nothing does that rounding would not do."""
    found = deviation(*arrays)
    if found.distance <= bound(arrays, largest):
        return None
    if found.trouble is not None:
        return str(found.trouble)
    return (f"largest distance {found.distance:.4g} at {list(found.index)}: {found.reference:.6g} in the reference, "
            f"{found.twin:.6g} in the twin")


def finding(kind: str, epoch: int, place: str, ours: Made, theirs: Made, draws: Place | None,
            otherwise: str | None = None) -> Discrepancy | None:
    """Of two samples, batches or items; None where they are the same. otherwise: the step, where none was seen."""
    largest = max(ours.largest, theirs.largest)
    both, structure = paired(ours, theirs)
    if structure is not None:
        return Discrepancy(kind, epoch, place, structure, "another structure of the sample")
    for path, arrays in both:
        said = differs(arrays, largest)
        if said is None:
            continue
        name = f"{path} differs, " if path else ""
        found = deviation(*arrays)
        where = _parting(ours.steps, theirs.steps, arrays, largest)
        seen = [two for two in (where.arrays, arrays) if two is not None and all(map(pictures.is_picture, two))]
        at = where.at if any(where.at) or otherwise is None else [next(reversed(made.steps), None) for made in (ours, theirs)]
        sites = tuple(step.site if step else None for step in at)
        distance = found.distance if np.isfinite(found.distance) else None
        return Discrepancy(kind, epoch, place, name + said, _cause(arrays, where, draws), where.name or otherwise,
                       where.after[0].name if where.after else None, sites, distance, next(iter(seen), None))
    return None


@dataclass(frozen=True)
class _Where:
    """Where two chains of steps part. at: on each side the first step that made something else, None where it did nothing more;
    after: the last steps of which the values are the same."""

    at: tuple[Step | None, Step | None] = (None, None)
    after: tuple[Step, Step] | None = None

    @property
    def name(self) -> str | None:
        ours, theirs = (step.name if step else None for step in self.at)
        if ours == theirs:
            return ours
        if ours is None or theirs is None:
            return f"{theirs}, which the twin alone does" if ours is None else f"{ours}, which the reference alone does"
        return f"{ours} in the reference, {theirs} in the twin"

    @property
    def arrays(self) -> Arrays | None:
        """What both have there; of a side that does nothing more what it had before."""
        steps = [step or (self.after[side] if self.after else None) for side, step in enumerate(self.at)]
        return (steps[0].array, steps[1].array) if any(self.at) and all(steps) else None


def _parting(ours: list[Step], theirs: list[Step], final: Arrays, largest: float) -> _Where:
    """Behind the last value that both sides have, whatever each calls it: what is the same again later did not matter.

    Where what is handed out differs by more than its form (layout, [0, 1] for [0, 255]), values of another form count as the
    same: the one side's next transform may be what the other's did before.
    """
    formal = final[0] is not None and final[1] is not None and _same_form(*final, largest)
    where = _behind(ours, theirs, largest, formal=formal)
    if not formal and where.after and where.arrays and _carried(*where.after, *where.arrays):
        return _behind(ours, theirs, largest, formal=True)
    return where


def _carried(before: Step, twin_before: Step, after: np.ndarray, twin_after: np.ndarray) -> bool:
    """Whether values that differ by a factor only differ by the same factor behind a step: it is not what made the difference."""
    factors = [pictures.slope(one, other, 1e-3) if one.dtype.kind in "fiu" and other.dtype.kind in "fiu" else None
               for one, other in ((before.array, twin_before.array), (after, twin_after))]
    return None not in factors and abs(factors[0] - 1) > 1e-3 and abs(factors[0] - factors[1]) <= 1e-3 * abs(factors[0])


def _behind(ours: list[Step], theirs: list[Step], largest: float, *, formal: bool) -> _Where:
    """Behind the last value that is the same on both sides. formal: in its form, too.

    A value may stand in several steps (a flip that does not turn): of these, those behind which most steps differ from their
    counterparts.
    """
    def same(a: int, b: int) -> bool:
        return _same(ours[a], theirs[b], largest, formal=formal)

    last = next(((a, b) for b in reversed(range(len(theirs))) for a in reversed(range(len(ours))) if same(a, b)), None)
    if last is None:
        return _Where(_odd(ours, theirs)) if _key(ours) is not None and _key(ours) == _key(theirs) else _Where()
    pairs = [(a, b) for a in range(len(ours)) if same(a, last[1]) for b in range(last[1] + 1) if same(a, b)]
    keys = [step.key for step in theirs]
    odd = [(a, keys.index(step.key)) for a, step in enumerate(ours) if step.key in keys]
    odd = [pair for pair in odd if not same(*pair)]
    a, b = max(pairs, key=lambda pair: (sum(a > pair[0] and b > pair[1] for a, b in odd), sum(pair)))
    return _Where(_odd(ours[a + 1:], theirs[b + 1:]), (ours[a], theirs[b]))


def _odd(ours: list[Step], theirs: list[Step]) -> tuple[Step | None, Step | None]:
    """The first steps that differ: two with one key, or those that one side alone does before them. Of what stands inside of a
    transform the transform."""
    keys = [one.key for one in theirs]
    both = [(a, keys.index(one.key)) for a, one in enumerate(ours) if one.key in keys]
    met = min(both, key=sum, default=(len(ours), len(theirs)))
    if met == (0, 0) and ours and theirs:
        return ours[0], theirs[0]
    alone = ours[:met[0]], theirs[:met[1]]
    return tuple(next((one for one in steps if one.key[0] == TRANSFORM), next(iter(steps), None)) for steps in alone)


def _key(steps: list[Step]) -> tuple | None:
    return steps[0].key if steps else None


def _same(one: Step, other: Step, largest: float, *, formal: bool) -> bool:
    if one.array.size != other.array.size or (one.array.size < pictures.BY_CHANCE and one.key != other.key):
        return False
    return differs((one.array, other.array), largest) is None or (not formal and _same_form(one.array, other.array, largest))


def _same_form(one: np.ndarray, other: np.ndarray, largest: float) -> bool:
    if one.dtype.kind not in "fiu" or other.dtype.kind not in "fiu":
        return False
    floats = [array.dtype for array in (one, other) if array.dtype.kind == "f"]
    return pictures.same_up_to_form(one, other, M * (coarsest(*floats) if floats else 0.0))


def _cause(final: Arrays, where: _Where, draws: Place | None) -> str | None:
    """What the values at the step tell; else what those handed out do."""
    for arrays in (where.arrays, final):
        if arrays is not None and arrays[0] is not None and arrays[1] is not None:
            said = pictures.likeness(*arrays)
            if said is not None:
                return said
    if where.arrays and where.after:
        ways = [_resized(before.array, after) for before, after in zip(where.after, where.arrays, strict=True)]
        if all(ways) and ways[0] != ways[1]:
            return f"the reference resizes by {ways[0]}, the twin by {ways[1]}"
        if any(ways) and not all(ways):
            known, other = ("reference", "twin") if ways[0] else ("twin", "reference")
            return f"the {known} resizes by {ways[0] or ways[1]}, the {other} otherwise"
    odd = draws.odd if draws is not None else None
    if odd is not None:
        said = [str(one) if one is not None else "nothing more" for one in odd]
        return f"other random numbers are drawn for it: {said[0]} in the reference, {said[1]} in the twin"
    if final[0] is not None and final[1] is not None and {final[0].dtype.kind, final[1].dtype.kind} <= set("fiub"):
        like = resemblance(*final) if np.isfinite(final[0]).all() and np.isfinite(final[1]).all() else None
        if like is None and final[0].size == final[1].size and final[0].shape != final[1].shape and np.array_equal(
                final[0].ravel(), final[1].ravel()):
            like = "the same values in another shape"
        return f"the twin's values are {like}" if like else None
    return None


def _resized(before: np.ndarray, after: np.ndarray) -> str | None:
    before, after = map(pictures.channels_last, (before, after))
    return pictures.resized_how(before, after) if pictures.is_picture(before) and pictures.is_picture(after) else None



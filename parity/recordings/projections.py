"""A value in a few dozen numbers: seeded random projections, sampled and largest values. Enough to see that two differ.

Each number moves by no more than the worst element does, so that what two sketches are apart is a lower bound of what their
values are apart: a sketch can say `diverged`, and never `same` (only the hash of the whole value can).
"""

from __future__ import annotations

import numpy as np

from parity.messages import say
from parity.numbers.arrays import BLOCK, Deviation
from parity.numbers.noise import generator

PROJECTIONS, SAMPLES, LARGEST = 8, 16, 4
SIZE = 1 + PROJECTIONS + SAMPLES + 2 * LARGEST

CERTAIN = 6.0
"""By how much a projection's distance is divided before it counts as a lower bound of the largest distance.

With random signs s, independent of the difference d of n elements, sum(s d) / sqrt(n) has the variance mean(d^2), and by
Hoeffding exceeds t max|d| with a chance below 2 exp(-t^2 / 2): 3e-8 for t = 6, 2.4e-7 for all eight projections of a value.
"""


def sketch(array: np.ndarray) -> np.ndarray:
    """float64: non-finite elements, projections, sampled values, places of the largest magnitudes, those magnitudes."""
    flat = np.ravel(array).astype(np.float64)
    finite = np.isfinite(flat)
    values = np.where(finite, flat, 0.0)
    rng = generator("sketch", *array.shape)
    places = rng.integers(0, max(flat.size, 1), SAMPLES)
    projections = np.zeros(PROJECTIONS)
    for start in range(0, flat.size, BLOCK):
        block = values[start:start + BLOCK]
        bits = np.frombuffer(rng.bytes(PROJECTIONS * BLOCK // 8), np.uint8)
        signs = np.unpackbits(bits).reshape(PROJECTIONS, BLOCK)[:, :block.size]
        projections += (signs * 2.0 - 1.0) @ block
    sampled, top, magnitudes = np.zeros(SAMPLES), np.full(LARGEST, -1.0), np.zeros(LARGEST)
    if flat.size:
        projections /= np.sqrt(flat.size)
        sampled = flat[places]
        found = np.argsort(-np.abs(values), kind="stable")[:LARGEST]
        top[:found.size], magnitudes[:found.size] = found, np.abs(values[found])
    return np.concatenate([[flat.size - int(finite.sum())], projections, sampled, top, magnitudes])


def apart(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> Deviation:
    """A lower bound of how far apart the two sketched values are; with an index where a sampled element shows it."""
    parts = np.cumsum([1, PROJECTIONS, SAMPLES, LARGEST])
    (bad, projected, sampled, _, largest), (bad2, projected2, sampled2, _, largest2) = (np.split(s, parts) for s in (one, other))
    size, scale = int(np.prod(shape)), float(largest.max(initial=0.0))
    if bad[0] != bad2[0]:
        trouble = say("{count:g} elements are NaN or Inf on one side, {other:g} on the other", count=bad[0], other=bad2[0])
        return Deviation(np.inf, scale=scale, size=size, trouble=trouble)
    with np.errstate(invalid="ignore"):
        steps = np.where((sampled == sampled2) | (np.isnan(sampled) & np.isnan(sampled2)), 0.0, np.abs(sampled - sampled2))
    steps[np.isnan(steps)] = np.inf
    bound = max(np.abs(projected - projected2).max() / CERTAIN, np.abs(largest - largest2).max())
    worst = int(steps.argmax())
    if steps[worst] < bound or not steps[worst]:
        return Deviation(float(bound), scale=scale, nans=0, size=size)
    place = generator("sketch", *shape).integers(0, max(size, 1), SAMPLES)[worst]
    index = tuple(int(i) for i in np.unravel_index(place, shape))
    return Deviation(float(steps[worst]), index, float(sampled[worst]), float(sampled2[worst]), scale, 0, size)

"""Random numbers by distribution, all made of uniform and normal numbers of float32 precision.

So programs that draw the same in another way draw the same numbers from the same generator, and so do both lanes: a Bernoulli
variable is `uniform >= 1 - p`, as `floor(p + uniform)` is, an exponential `-log(uniform)`, a normal `mean + std * normal`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_OF_UNIFORM = frozenset({"uniform", "bernoulli", "integers", "exponential", "geometric", "cauchy"})  # made of uniform numbers
_PLAIN = {"uniform": (0.0, 1.0), "normal": (0.0, 1.0)}
_STEP = 2.0 ** -24  # between neighbouring uniform numbers, which all float32 hold


class Drawn(NamedTuple):
    """What is drawn. parameters: NaN stands for a tensor, whose values are compared where it is made."""

    kind: str
    parameters: tuple[float, ...]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        numbers = ", ".join("tensor" if number != number else f"{number:.6g}" for number in self.parameters)
        return f"{self.kind}({numbers}) of shape {self.shape}"

    @property
    def array(self) -> np.ndarray:
        """All of it as numbers, so that it can be compared as values are."""
        parameters = [0.0 if number != number else number for number in self.parameters]
        return np.array([zlib.crc32(self.kind.encode()), len(parameters), *parameters, *self.shape], np.float64)

    def to_json(self) -> list:
        return [self.kind, [None if number != number else number for number in self.parameters], list(self.shape)]

    @classmethod
    def of_json(cls, document: list) -> Drawn:
        """The inverse of `to_json`. Raises TypeError or ValueError for what is none."""
        kind, parameters, shape = document
        return cls(str(kind), tuple(math.nan if one is None else float(one) for one in parameters), tuple(map(int, shape)))

    @property
    def is_plain(self) -> bool:
        """Drawn as it comes, to be made something of by the program's own lines, whose values tell whether that is the same."""
        plain = _PLAIN.get(self.kind)
        # As far as the numbers can tell: some functions draw from the smallest number on, so that its logarithm is finite.
        return plain is not None and all(abs(own - one) <= _STEP for own, one in zip(self.parameters, plain, strict=True))

    @property
    def is_of_uniform(self) -> bool:
        """Whether it is made of uniform numbers."""
        return self.kind in _OF_UNIFORM

    def fits(self, other: Drawn) -> bool:
        """Whether both can be made of the same random numbers."""
        alike = self.kind == other.kind or {self.kind, other.kind} <= _OF_UNIFORM
        return alike and _same_elements(self.shape, other.shape)

    def agrees(self, other: Drawn) -> bool:
        """Whether the two draw the same, as far as can be told before the numbers are used."""
        if not self.fits(other):
            return False
        if self.is_plain or other.is_plain:
            return True
        return self.kind == other.kind and len(self.parameters) == len(other.parameters) and all(
            map(_same_number, self.parameters, other.parameters))


def _same_number(one: float, other: float) -> bool:
    """A rate may have been written as 1 - 0.9, and Paddle keeps its attributes in float32."""
    if one != one or other != other:
        return True
    return one == other or abs(one - other) <= np.finfo(np.float32).eps * max(abs(one), abs(other))


def _same_elements(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one shape becomes the other by joining neighbouring axes: (batch * heads, n) and (batch, heads, n)."""
    if one == other:
        return True
    longer, shorter = sorted(([n for n in shape if n != 1] for shape in (one, other)), key=len, reverse=True)
    sizes = iter(longer)
    for size in shorter:
        joined = 1
        while joined < size:
            joined *= next(sizes, size + 1)
        if joined != size:
            return False
    return next(sizes, None) is None


class Numbers:
    """The distributions, made of what `take` gives: (what is drawn) -> the generator of its numbers.

    Parameters are numbers or arrays that broadcast to `shape`. Floating-point results are float64 arrays; where all parameters are
    plain numbers, they hold float32 numbers.
    """

    def __init__(self, take: Callable[[Drawn], np.random.Generator]) -> None:
        self._take = take

    def uniform(self, shape: tuple[int, ...], low: Any = 0.0, high: Any = 1.0) -> np.ndarray:
        return _rounded(low + (high - low) * self._uniform("uniform", shape, low, high), low, high)

    def bernoulli(self, shape: tuple[int, ...], p: Any) -> np.ndarray:
        """True with probability p."""
        return self._uniform("bernoulli", shape, p) >= 1 - p

    def integers(self, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
        return low + np.floor(self._uniform("integers", shape, low, high) * (high - low)).astype(np.int64)

    def exponential(self, shape: tuple[int, ...], rate: Any = 1.0) -> np.ndarray:
        return _rounded(-np.log(self._uniform("exponential", shape, rate)) / rate, rate)

    def geometric(self, shape: tuple[int, ...], p: Any) -> np.ndarray:
        return np.ceil(np.log(self._uniform("geometric", shape, p)) / np.log1p(-p))

    def cauchy(self, shape: tuple[int, ...], median: float, sigma: float) -> np.ndarray:
        return _rounded(median + sigma * np.tan(np.pi * (self._uniform("cauchy", shape, median, sigma) - 0.5)))

    def normal(self, shape: tuple[int, ...], mean: Any = 0.0, std: Any = 1.0) -> np.ndarray:
        return _rounded(mean + std * self._normal("normal", shape, mean, std), mean, std)

    def log_normal(self, shape: tuple[int, ...], mean: float, std: float) -> np.ndarray:
        """Of numbers as `normal` gives them, so that it does not matter on which side of the exponential they are rounded."""
        return np.exp(self.normal(shape, mean, std))

    def permutation(self, n: int) -> np.ndarray:
        return np.argsort(self._uniform("permutation", (n,)), kind="stable")

    def multinomial(self, weights: np.ndarray, samples: int, replacement: bool) -> np.ndarray:
        """weights: (..., categories). Returns integers (..., samples)."""
        replacement = replacement or samples == 1  # of a single one nothing is put back
        kind = "multinomial" if replacement else "multinomial without replacement"
        if replacement:
            uniform = self._uniform(kind, (*weights.shape[:-1], samples))
            edges = np.cumsum(weights, axis=-1)
            chosen = (uniform[..., None] * edges[..., None, -1:] >= edges[..., None, :]).sum(axis=-1)
            return np.minimum(chosen, weights.shape[-1] - 1)
        # The race of exponentials: the first to arrive, each at the rate of its weight (Efraimidis and Spirakis 2006).
        with np.errstate(divide="ignore"):
            arrivals = -np.log(self._uniform(kind, weights.shape, samples)) / weights
        return np.argsort(arrivals, axis=-1, kind="stable")[..., :samples]

    def poisson(self, rates: np.ndarray) -> np.ndarray:
        return self._drawn("poisson", rates.shape, rates).poisson(rates)

    def binomial(self, counts: np.ndarray, p: np.ndarray) -> np.ndarray:
        shape = np.broadcast_shapes(counts.shape, p.shape)
        return self._drawn("binomial", shape, counts, p).binomial(counts.astype(np.int64), p)

    def gamma(self, alpha: np.ndarray) -> np.ndarray:
        return self._drawn("gamma", alpha.shape, alpha).standard_gamma(alpha)

    def dirichlet(self, alpha: np.ndarray) -> np.ndarray:
        drawn = self._drawn("dirichlet", alpha.shape, alpha).standard_gamma(alpha)
        return drawn / drawn.sum(axis=-1, keepdims=True)

    def generator(self, kind: str, shape: tuple[int, ...]) -> np.random.Generator:
        """For a draw of a distribution that is none of these."""
        return self._drawn(kind, shape)

    def _drawn(self, kind: str, shape: tuple[int, ...], *parameters: Any) -> np.random.Generator:
        numbers = tuple(float("nan") if isinstance(number, np.ndarray) else float(number) for number in parameters)
        return self._take(Drawn(kind, numbers, tuple(map(int, shape))))

    def _uniform(self, kind: str, shape: tuple[int, ...], *parameters: Any) -> np.ndarray:
        """Multiples of `_STEP` between 0 and 1, neither of them reached."""
        drawn = self._drawn(kind, shape, *parameters).random(shape, np.float32)
        return np.maximum(drawn, np.float32(_STEP)).astype(np.float64)

    def _normal(self, kind: str, shape: tuple[int, ...], *parameters: Any) -> np.ndarray:
        return self._drawn(kind, shape, *parameters).standard_normal(shape, np.float32).astype(np.float64)


def _rounded(values: np.ndarray, *parameters: Any) -> np.ndarray:
    """To float32 numbers, unless a parameter is an array: its values are a lane's own."""
    if any(isinstance(parameter, np.ndarray) for parameter in parameters):
        return values
    return values.astype(np.float32).astype(np.float64)

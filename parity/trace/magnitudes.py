"""How large the numbers inside an operation were, and how many were added up: what bounds the rounding of its result."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from parity.frameworks import Framework
from parity.numbers.arrays import largest_magnitude, rounds
from parity.trace.events import Key
from parity.trace.source import SourceTree


class Size(NamedTuple):
    """How large the numbers inside an operation were: `Event.scale` and `Event.unit`."""

    scale: float = 0.0
    unit: float = 0.0

    def joined(self, other: Size) -> Size:
        return Size(max(self.scale, other.scale), max(self.unit, other.unit))


def rounding_of_a_sum(terms: float) -> float:
    """How far a plain sum of so many terms may be off, in units of eps x its own magnitude; at least 1.

    Each of n additions rounds by at most eps/2 of the partial sum S_k, evenly spread: standard deviation eps S_k / sqrt(12).
    With partial sums that grow as a random walk, S_k = S sqrt(k / n), the total is eps S sqrt(n / 24): 0.2 sqrt(n) eps S.
    """
    return max(1.0, math.sqrt(terms / 24))


class Magnitudes:
    """What the modules and parameters of one run were fed, as far as the rounding of their gradients depends on it.

    measured: whether anything is; else all sizes are 0.
    """

    def __init__(self, framework: Framework, source: SourceTree, measured: bool) -> None:
        self._framework, self._source, self.measured = framework, source, measured
        self._entered: dict[str, float] = {}  # module path -> largest magnitude among its inputs
        self._partial_sums: dict[str, float] = {}  # module path -> sqrt(terms) x largest output gradient
        self._spans: dict[str, float] = {}  # a parameter may be broadcast, over so many times its own elements
        self._weights_of: dict[int, list[tuple[Any, tuple[int, ...]]]] = {}  # by the module's id

    def of(self, array: np.ndarray | None) -> float:
        return largest_magnitude(array) if self.measured and array is not None else 0.0

    def of_module(self, module: Any, entered: float, inside: Size, inputs: Any, outputs: Any, largest_out: float) -> Size:
        """A dot product over its fan-in, or a mean over the space of a map; and what its own parts had.

        entered: the largest magnitude among its inputs. inside: what its parts handed up.
        """
        framework = self._framework
        shapes_in = [framework.shape_dtype(t)[0] for _, t in framework.tensors_in(inputs)]
        shapes_out = [framework.shape_dtype(t)[0] for _, t in framework.tensors_in(outputs)]
        terms = max([1, *(math.prod(shape[2:]) for shape in shapes_in if len(shape) > 2)])
        if shapes_in and shapes_out:
            terms = max(terms, max(map(math.prod, shapes_in)) // max(1, min(map(math.prod, shapes_out))))
        scale = entered
        for parameter, shape in self._weights(module):
            terms = max(terms, math.prod(shape) // min(shape))
            scale = max(scale, entered * largest_magnitude(framework.array(parameter, copy=False)))
        accumulated = rounding_of_a_sum(self.dot_terms(module)[0]) * largest_out
        return Size(max(scale, accumulated), math.sqrt(terms) * scale).joined(inside)

    def of_operation(self, arguments: Any, results: Iterable[Any]) -> Size:
        """Of one call of a library function: as many terms as its largest argument is larger than its smallest result."""
        if not self.measured:
            return Size()
        framework, largest, elements = self._framework, 0.0, 1
        for _, tensor in framework.tensors_in(arguments):
            array = framework.array(tensor, copy=False)
            largest = max(largest, largest_magnitude(array)) if rounds(array.dtype) else largest
            elements = max(elements, array.size)
        least = min((math.prod(framework.shape_dtype(tensor)[0]) for tensor in results), default=1)
        return Size(largest, math.sqrt(max(1, elements // max(1, least))) * largest)

    def of_parameter_gradient(self, name: str, array: np.ndarray | None) -> float:
        """A parameter's gradient is a sum over batch and space; what enters its rounding are the partial sums."""
        largest = self.of(array)
        if not self.measured or array is None:
            return largest
        owner = name.rpartition(".")[0]
        term = self._entered.get(owner, 0.0) if array.ndim > 1 else 1.0
        scale = max(largest, self._partial_sums.get(owner, 0.0) * term)
        scale = max(scale, rounding_of_a_sum(self._spans.get(name, 0.0)) * largest)
        if name.endswith("_orig"):  # a spectral norm: its gradient passes through u^T W v, a sum over all of W
            scale = max(scale, rounding_of_a_sum(array.size) * largest)
        return scale

    def module_left(self, path: str, entered: float) -> None:
        self._entered[path] = max(entered, self._entered.get(path, 0.0))

    def parameter_read(self, name: str, span: float) -> None:
        """span: of the broadcast that it may have been part of."""
        self._spans[name] = max(span, self._spans.get(name, 0.0))

    def gradient_arrived(self, key: Key, array: np.ndarray, largest: float) -> None:
        """The gradient of a value: where it is a module's output, the parameters' are sums of it."""
        if self.measured and not key.function and key.variable.startswith("output") and array.ndim > 1:
            terms = array.size / max(1, array.shape[1])  # over batch and space, for each channel
            self._partial_sums[key.module] = max(math.sqrt(terms) * largest, self._partial_sums.get(key.module, 0.0))

    def dot_terms(self, module: Any) -> tuple[float, float]:
        """Terms of the dot products that a library module with a weight makes: forward, and backward to its input.

        The order in which a library's kernel adds them is its own affair; that of a mean written in the user's source
        is not, and is judged more strictly. (0, 0) for all other modules, and where nothing is measured.
        """
        if self.measured and not self._source.defines(module):
            for _, shape in self._weights(module):
                return math.prod(shape) / shape[0], math.prod(shape) / shape[1]
        return 0.0, 0.0

    def _weights(self, module: Any) -> list[tuple[Any, tuple[int, ...]]]:
        """The module's own parameters of two dimensions and more, each with its shape; looked up once (it walks all below)."""
        found = self._weights_of.get(id(module))
        if found is None:
            own = [value for name, value in self._framework.parameters(module).items() if "." not in name]
            shaped = [(value, self._framework.shape_dtype(value)[0]) for value in own]
            found = self._weights_of[id(module)] = [(value, shape) for value, shape in shaped if len(shape) > 1]
        return found

"""How large a sum a gradient was: the span of a broadcast, followed line by line through a function of numpy arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity.trace.lines import Call, Lines
from parity.trace.magnitudes import Magnitudes, Size, rounding_of_a_sum
from parity.trace.source import SourceTree


class Numpy:
    """Stands for a framework whose tensors are numpy arrays."""

    def tensors_in(self, value: Any) -> Iterator[tuple[str, np.ndarray]]:
        if isinstance(value, np.ndarray):
            yield "", value

    def recomputing(self) -> bool:
        return False

    def shape_dtype(self, tensor: np.ndarray) -> tuple[tuple[int, ...], str]:
        return tensor.shape, str(tensor.dtype)

    def array(self, tensor: np.ndarray, copy: bool = True) -> np.ndarray:
        return tensor


class Watching:
    """As much of a recorder as following lines needs. seen: variable -> (its size, the span of a value of `elements` there)."""

    is_blind = False

    def __init__(self, elements: int) -> None:
        self.framework, self.elements = Numpy(), elements
        source = SourceTree(__file__)
        self.magnitudes = Magnitudes(self.framework, source, measured=True)
        self.lines = Lines(self, source, {})
        self.call, self.phase, self.stage = Call("net", 0, None), None, "forward"
        self.seen: dict[str, tuple[Size, float]] = {}

    def passes_over(self, owner: Any) -> bool:
        return False

    def snapshot(self, tensor: np.ndarray) -> Any:
        return SimpleNamespace(tensor=tensor, largest=float(np.abs(tensor).max()))

    def emit(self, tensor: np.ndarray, variable: str, *, size: Size = Size(), **where: Any) -> Any:  # noqa: B008
        span = self.lines.running[-1].span(self.elements) if self.lines.running else 1.0
        self.seen[variable] = size, span
        return self.snapshot(tensor)

    def hand_up(self, size: Size) -> None:
        self.handed = size

    def watch(self, function: Any, *arguments: np.ndarray) -> dict[str, tuple[Size, float]]:
        before = sys.gettrace()
        sys.settrace(self.lines.follow)
        try:
            function(*arguments)
        finally:
            sys.settrace(before)
        return self.seen


def scaled(x, gain):
    h = x * 2
    out = h * gain
    return out


def narrowed(x, gain):
    wide = np.repeat(x, 50)
    h = wide[:4] + 1
    out = h * gain
    return out


def averaged(x):
    mean = x.mean(0)
    out = mean + 1
    return out


@pytest.mark.parametrize(("rows", "span"), [(1, 1.0), (25, 25.0), (1000, 1000.0)])
def test_a_parameter_is_broadcast_as_many_times_as_the_largest_local_is_larger(rows, span):
    seen = Watching(4).watch(scaled, np.ones((rows, 4)), np.ones(4))
    assert seen["out"][1] == span


def test_the_span_is_of_the_largest_local_not_of_the_last():
    assert Watching(4).watch(narrowed, np.ones(4), np.ones(4))["out"][1] == 50.0


def test_a_value_smaller_than_what_it_was_made_of_is_a_sum():
    size, _ = Watching(1).watch(averaged, np.full((100, 4), 3.0))["mean"]
    assert size == Size(3.0, 10 * 3.0)  # sqrt(100 terms) x 3


def test_the_gradient_of_what_was_broadcast_rounds_as_a_sum_over_the_span():
    magnitudes = Magnitudes(Numpy(), SourceTree(__file__), measured=True)
    gradient = np.full(4, 0.5)
    assert magnitudes.of_parameter_gradient("net.gain", gradient) == 0.5
    magnitudes.parameter_read("net.gain", 10_000.0)
    magnitudes.parameter_read("net.gain", 9.0)  # the widest counts
    assert magnitudes.of_parameter_gradient("net.gain", gradient) == rounding_of_a_sum(10_000.0) * 0.5 > 10
    assert magnitudes.of_parameter_gradient("net.bias", gradient) == 0.5


def test_nothing_is_measured_where_nothing_is_asked_for():
    magnitudes = Magnitudes(Numpy(), SourceTree(__file__), measured=False)
    assert magnitudes.of(np.ones(3)) == 0.0 and magnitudes.of_parameter_gradient("w", np.ones(3)) == 0.0
    assert magnitudes.of_operation([np.ones(3)], [np.ones(1)]) == Size()


def test_an_operation_adds_up_as_many_terms_as_its_argument_is_larger_than_its_result():
    magnitudes = Magnitudes(Numpy(), SourceTree(__file__), measured=True)
    assert magnitudes.of_operation(np.full(400, 2.0), [np.ones(4)]) == Size(2.0, 10 * 2.0)
    assert magnitudes.of_operation(np.full(4, 7), [np.ones(4)]) == Size(0.0, 0.0)  # integers do not round

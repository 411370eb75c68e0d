"""torch's random operations, filled with numbers from elsewhere.

A dispatch mode sees every operation that reaches a kernel, from wherever it is called: `F.dropout`, the dropout between the layers
of an LSTM or of attention, `torch.distributions`. The operation runs (it knows its result's dtype, device and errors), and what it
drew is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from parity.blame import hand_on
from parity.frameworks.torch_modes import Seeing, name_of
from parity.numbers.distributions import Numbers


class Drawing(Seeing):
    """While active, random operations take their numbers from `numbers`."""

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self._numbers = numbers

    def operation(self, func: Any, args: tuple, kwargs: dict) -> Any:
        sample = RANDOM.get(name_of(func))
        if sample is None:
            return hand_on(func, *args, **kwargs)
        given = {argument.name: argument.default_value for argument in func._schema.arguments if argument.has_default_value()}
        given |= dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | kwargs
        return sample(self._numbers, given, lambda: hand_on(func, *args, **kwargs))


def _filled(result: torch.Tensor, values: np.ndarray) -> torch.Tensor:
    return result.copy_(torch.from_numpy(np.ascontiguousarray(values)).view(result.shape))


def _number(value: Any) -> Any:
    """A tensor's values, of the lane's precision, or the number itself."""
    return value.detach().cpu().double().numpy() if isinstance(value, torch.Tensor) else value


def _drawn(sample: Callable[[Numbers, tuple[int, ...], dict], np.ndarray], reads_self: bool = False) -> Callable:
    """An operation whose result is what it draws. reads_self: its first operand is a parameter, and not what is overwritten."""
    def draw(numbers: Numbers, given: dict, run: Callable[[], torch.Tensor]) -> torch.Tensor:
        given = {name: _number(value) for name, value in given.items() if reads_self or name != "self"}
        result = run()
        return _filled(result, sample(numbers, tuple(result.shape), given))

    return draw


def _bernoulli(numbers: Numbers, given: dict, run: Callable[[], torch.Tensor]) -> torch.Tensor:
    p = _number(given["p"] if given.get("p") is not None else given["self"])
    result = run()
    return _filled(result, numbers.bernoulli(tuple(result.shape), p))


def _integers(numbers: Numbers, shape: tuple[int, ...], given: dict) -> np.ndarray:
    return numbers.integers(shape, int(given.get("low", 0)), int(given["high"]))


def _multinomial(numbers: Numbers, shape: tuple[int, ...], given: dict) -> np.ndarray:
    return numbers.multinomial(given["self"], given["num_samples"], given["replacement"])


def _random_(numbers: Numbers, given: dict, run: Callable[[], torch.Tensor]) -> torch.Tensor:
    result = run()
    dtype = result.dtype
    high = given.get("to")
    if high is None:
        high = 2 ** 24 if dtype.is_floating_point else 2 if dtype is torch.bool else torch.iinfo(dtype).max
    return _filled(result, numbers.integers(tuple(result.shape), int(given.get("from") or 0), int(high)))


def _native_dropout(numbers: Numbers, given: dict, run: Callable[[], Any]) -> Any:
    x, p = given["input"], given["p"]
    if not given["train"] or p in (0, 1):
        return run()
    mask = torch.from_numpy(numbers.bernoulli(tuple(x.shape), 1 - p)).to(x.device)
    return x * mask * (1 / (1 - p)), mask


def _rrelu(inplace: bool) -> Callable:
    def rrelu(numbers: Numbers, given: dict, run: Callable[[], torch.Tensor]) -> torch.Tensor:
        if not given["training"]:
            return run()
        x, noise = given["self"], given["noise"]
        slopes = numbers.uniform(tuple(x.shape), given["lower"], given["upper"])
        noise.copy_(torch.from_numpy(slopes))
        noise.masked_fill_(x > 0, 1)
        return x.mul_(noise) if inplace else x * noise

    return rrelu


RANDOM: dict[str, Callable] = {
    **dict.fromkeys(("rand", "rand_like"), _drawn(lambda numbers, shape, given: numbers.uniform(shape))),
    **dict.fromkeys(("randn", "randn_like"), _drawn(lambda numbers, shape, given: numbers.normal(shape))),
    **dict.fromkeys(("uniform", "uniform_"),
                    _drawn(lambda numbers, shape, given: numbers.uniform(shape, given["from"], given["to"]))),
    **dict.fromkeys(("normal", "normal_", "normal_functional"),
                    _drawn(lambda numbers, shape, given: numbers.normal(shape, given["mean"], given["std"]))),
    **dict.fromkeys(("randint", "randint_like"), _drawn(_integers)),
    **dict.fromkeys(("random", "random_"), _random_),
    **dict.fromkeys(("bernoulli", "bernoulli_"), _bernoulli),
    "randperm": _drawn(lambda numbers, shape, given: numbers.permutation(shape[0])),
    "multinomial": _drawn(_multinomial, reads_self=True),
    **dict.fromkeys(("exponential", "exponential_"),
                    _drawn(lambda numbers, shape, given: numbers.exponential(shape, given["lambd"]))),
    **dict.fromkeys(("geometric", "geometric_"), _drawn(lambda numbers, shape, given: numbers.geometric(shape, given["p"]))),
    **dict.fromkeys(("cauchy", "cauchy_"),
                    _drawn(lambda numbers, shape, given: numbers.cauchy(shape, given["median"], given["sigma"]))),
    **dict.fromkeys(("log_normal", "log_normal_"),
                    _drawn(lambda numbers, shape, given: numbers.log_normal(shape, given["mean"], given["std"]))),
    "poisson": _drawn(lambda numbers, shape, given: numbers.poisson(given["self"]), reads_self=True),
    "_standard_gamma": _drawn(lambda numbers, shape, given: numbers.gamma(given["self"]), reads_self=True),
    "_sample_dirichlet": _drawn(lambda numbers, shape, given: numbers.dirichlet(given["self"]), reads_self=True),
    "binomial": _drawn(lambda numbers, shape, given: numbers.binomial(given["count"], given["prob"])),
    "native_dropout": _native_dropout,
    "rrelu_with_noise": _rrelu(inplace=False),
    "rrelu_with_noise_": _rrelu(inplace=True),
}
"""Bare operator name -> (numbers, arguments by name, the operation itself) -> its result. Nothing of it rounds."""

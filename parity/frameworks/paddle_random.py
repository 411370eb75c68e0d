"""Paddle's random operations, filled with numbers from elsewhere.

Paddle has no dispatch mode, but all of its Python reaches its kernels as attributes of one module, `paddle._C_ops`: there the
random ones are replaced while a run asks for it, in the thread that does. A kernel that draws and computes in one (dropout, a
recurrent net's, Gumbel softmax) is made of what it is defined by. `bernoulli_` is none, and compares the other way round.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle
from paddle import _C_ops, _legacy_C_ops

from parity.blame import hand_on
from parity.frameworks.replacing import Attributes, Replacing
from parity.numbers.distributions import Numbers

_active = Replacing()  # the numbers of the run in this thread
_replaced = Attributes()


@contextmanager
def drawing(numbers: Numbers) -> Iterator[None]:
    """While active, random operations called in this thread take their numbers from `numbers`."""
    with _active.on(numbers, _install, _replaced.restore):
        yield


def _install() -> None:
    for kernels, name, replacement in (*((_C_ops, *item) for item in _RANDOM.items()), (_legacy_C_ops, "randint", _legacy_randint)):
        if hasattr(kernels, name):
            _replaced.put(kernels, name, _switched(getattr(kernels, name), replacement))
    original = paddle.Tensor.__dict__.get("bernoulli_")
    if original is not None:
        switched = _switched(original, _bernoulli_)
        for owner in (paddle, paddle.Tensor, paddle.tensor, paddle.tensor.random):
            if vars(owner).get("bernoulli_") is original:
                _replaced.put(owner, "bernoulli_", switched)


def _switched(original: Callable, replacement: Callable) -> Callable:
    @functools.wraps(original)
    def operation(*args: Any, **kwargs: Any) -> Any:
        numbers = _active.value
        if numbers is None:
            return hand_on(original, *args, **kwargs)
        return hand_on(replacement, numbers, original, *args, **kwargs)

    return operation


def _values(tensor: Any) -> np.ndarray:
    return tensor.detach().astype("float64").numpy()


def _like(values: np.ndarray, tensor: paddle.Tensor) -> paddle.Tensor:
    array = np.ascontiguousarray(values).reshape(tensor.shape)
    return paddle.to_tensor(array, place=tensor.place).astype(tensor.dtype)


def _write(tensor: paddle.Tensor, values: np.ndarray) -> paddle.Tensor:
    with paddle.no_grad():
        paddle.assign(_like(values, tensor), tensor)
    return tensor


def _drawn(sample: Callable[..., np.ndarray]) -> Callable:
    """An operation that returns what it draws. sample: (numbers, shape of the result, *arguments)."""
    def draw(numbers: Numbers, original: Callable, *args: Any, **kwargs: Any) -> paddle.Tensor:
        result = hand_on(original, *args, **kwargs)
        return _write(result, sample(numbers, tuple(result.shape), *args))

    return draw


def _drawn_in_place(sample: Callable[..., np.ndarray]) -> Callable:
    """An operation that fills its first argument. sample: (numbers, its shape, *other arguments)."""
    def draw(numbers: Numbers, original: Callable, x: paddle.Tensor, *args: Any, **kwargs: Any) -> paddle.Tensor:
        result = hand_on(original, x, *args, **kwargs)
        return _write(result, sample(numbers, tuple(x.shape), *args))

    return draw


def _kept(numbers: Numbers, x: paddle.Tensor, p: float, mode: str) -> paddle.Tensor:
    """The factor of each element in a dropout that trains."""
    kept = numbers.bernoulli(tuple(x.shape), 1 - p).astype(np.float64)
    return _like(kept / (1 - p) if mode == "upscale_in_train" else kept, x)


@functools.cache
def _gives_mask(dropout: Callable) -> bool:
    """Whether the kernel returns its mask, too (2.6)."""
    return isinstance(dropout(paddle.zeros([1]), None, 0.5, True, "upscale_in_train", 0, False), (tuple, list))


def _dropout(numbers: Numbers, original: Callable, x: paddle.Tensor, seed: Any, p: Any, is_test: bool, mode: str,
             *args: Any, **kwargs: Any) -> Any:
    p = float(p)
    if is_test or p in (0.0, 1.0):
        return hand_on(original, x, seed, p, is_test, mode, *args, **kwargs)
    kept = _kept(numbers, x, p, mode)
    out = paddle.multiply(x, kept)
    return (out, kept != 0) if _gives_mask(original) else out


def _dropout_(numbers: Numbers, original: Callable, x: paddle.Tensor, seed: Any, p: Any, is_test: bool, mode: str,
              *args: Any, **kwargs: Any) -> paddle.Tensor:
    p = float(p)
    if is_test or p in (0.0, 1.0):
        return hand_on(original, x, seed, p, is_test, mode, *args, **kwargs)
    return x.multiply_(_kept(numbers, x, p, mode))


def _bernoulli(numbers: Numbers, original: Callable, x: paddle.Tensor, *args: Any, **kwargs: Any) -> paddle.Tensor:
    result = hand_on(original, x, *args, **kwargs)
    return _write(result, numbers.bernoulli(tuple(x.shape), _values(x)))


def _bernoulli_(numbers: Numbers, original: Callable, x: paddle.Tensor, p: Any = 0.5, *args: Any, **kwargs: Any) -> paddle.Tensor:
    return _write(x, numbers.bernoulli(tuple(x.shape), _values(p) if isinstance(p, paddle.Tensor) else float(p)))


def _rrelu(numbers: Numbers, original: Callable, x: paddle.Tensor, lower: float, upper: float, is_test: bool) -> paddle.Tensor:
    if is_test:
        return original(x, lower, upper, is_test)
    slopes = _like(numbers.uniform(tuple(x.shape), float(lower), float(upper)), x)
    return paddle.where(x > 0, x, x * slopes)


def _gumbel_softmax(numbers: Numbers, original: Callable, x: paddle.Tensor, temperature: float, hard: bool, axis: int) -> Any:
    noise = _like(-np.log(numbers.exponential(tuple(x.shape))), x)
    soft = paddle.nn.functional.softmax((x + noise) / temperature, axis=axis)
    if not hard:
        return soft
    chosen = paddle.zeros_like(soft)
    chosen = paddle.put_along_axis(chosen, paddle.argmax(soft, axis=axis, keepdim=True), 1.0, axis)
    return chosen + (soft - soft.detach())


def _legacy_randint(numbers: Numbers, original: Callable, *args: Any) -> paddle.Tensor:
    """Of `randint_like` up to 3.0: names and values in turns."""
    result, given = original(*args), dict(zip(args[::2], args[1::2], strict=True))
    return _write(result, numbers.integers(tuple(result.shape), int(given["low"]), int(given["high"])))


def _fractional(numbers: Numbers, original: Callable, x: paddle.Tensor, output_size: Any, kernel_size: Any, u: float,
                *args: Any) -> Any:
    return original(x, output_size, kernel_size, u or float(numbers.uniform((1,))[0]), *args)


def _rnn(numbers: Numbers, original: Callable, x: paddle.Tensor, states: Any, weights: Any, lengths: Any, dropout_state: Any,
         p: float, both_ways: bool, input_size: int, hidden_size: int, layers: int, mode: str, seed: int, is_test: bool) -> Any:
    """Layer by layer, so that the dropout between them is one that can be given its numbers."""
    if is_test or not p or layers == 1:
        return original(x, states, weights, lengths, dropout_state, p, both_ways, input_size, hidden_size, layers, mode, seed,
                        is_test)
    ways = 2 if both_ways else 1
    half, ended = len(weights) // 2, []
    for layer in range(layers):
        if layer:
            x = paddle.multiply(x, _kept(numbers, x, p, "upscale_in_train"))
        here = slice(2 * ways * layer, 2 * ways * (layer + 1))
        own = [state[ways * layer:ways * (layer + 1)] for state in states]
        x, reserve, state = original(x, own, [*weights[:half][here], *weights[half:][here]], lengths, dropout_state, 0.0, both_ways,
                                     int(x.shape[-1]), hidden_size, 1, mode, seed, is_test)
        ended.append(state)
    return x, reserve, [paddle.concat(parts) for parts in zip(*ended, strict=True)]


_RANDOM: dict[str, Callable] = {
    "uniform": _drawn(lambda numbers, shape, _, dtype, low, high, *rest: numbers.uniform(shape, float(low), float(high))),
    "gaussian": _drawn(lambda numbers, shape, _, mean, std, *rest: numbers.normal(shape, float(mean), float(std))),
    "randint": _drawn(lambda numbers, shape, low, high, *rest: numbers.integers(shape, int(low), int(high))),
    "randperm": _drawn(lambda numbers, shape, n, *rest: numbers.permutation(shape[0])),
    "multinomial": _drawn(lambda numbers, shape, weights, samples, replacement=False, *rest:
                          numbers.multinomial(_values(weights), int(samples), bool(replacement))),
    "poisson": _drawn(lambda numbers, shape, rates, *rest: numbers.poisson(_values(rates))),
    "binomial": _drawn(lambda numbers, shape, counts, p, *rest: numbers.binomial(_values(counts), _values(p))),
    "standard_gamma": _drawn(lambda numbers, shape, alpha, *rest: numbers.gamma(_values(alpha))),
    "dirichlet": _drawn(lambda numbers, shape, alpha, *rest: numbers.dirichlet(_values(alpha))),
    **dict.fromkeys(("uniform_inplace", "uniform_inplace_"), _drawn_in_place(
        lambda numbers, shape, low, high, *rest: numbers.uniform(shape, float(low), float(high)))),
    **dict.fromkeys(("gaussian_inplace", "gaussian_inplace_"), _drawn_in_place(
        lambda numbers, shape, mean, std, *rest: numbers.normal(shape, float(mean), float(std)))),
    "random_": _drawn_in_place(lambda numbers, shape, low, high, *rest: numbers.integers(shape, int(low), int(high))),
    "exponential_": _drawn_in_place(lambda numbers, shape, rate, *rest: numbers.exponential(shape, float(rate))),
    "bernoulli": _bernoulli,
    "dropout": _dropout,
    "dropout_": _dropout_,
    "rrelu": _rrelu,
    "gumbel_softmax": _gumbel_softmax,
    "fractional_max_pool2d": _fractional,
    "fractional_max_pool3d": _fractional,
    "rnn": _rnn,
}
"""Kernel -> its replacement: (numbers, the kernel, *its arguments) -> its result."""

"""`parity.frameworks.lifting` of Paddle, whose Python reaches its kernels as attributes of `paddle._C_ops` (see `paddle_random`).

Its operators between tensors and numbers do not, and make float32 of integers (`mask * 1.0`); nor does `to_tensor`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paddle
from paddle import _C_ops

from parity.blame import hand_on
from parity.frameworks.lifting import Lifted, Rounded, folder_of, is_the_programs, of_numbers
from parity.frameworks.replacing import Attributes, Replacing

_WIDER = ((paddle.float32, paddle.float64), (paddle.complex64, paddle.complex128))
_OPERATORS = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__div__",
              "__rdiv__", "__pow__", "__rpow__")
_PADDLE = folder_of(paddle)
_active = Replacing()  # the `Lifted` of the run in this thread
_replaced = Attributes()


@contextmanager
def lifting(lifted: Lifted) -> Iterator[None]:
    """While active, no tensor of the program in this thread is float32; or its constants are rounded to it (`Rounded`)."""
    with _active.on(lifted, _install, _replaced.restore):
        yield


def _install() -> None:
    kernels = [name for name, kernel in vars(_C_ops).items() if not name.startswith("_") and callable(kernel)]
    cast = _C_ops.cast
    for owner, names in ((_C_ops, kernels), (paddle.Tensor, _OPERATORS), (paddle, ("to_tensor",)), (paddle.tensor, ("to_tensor",))):
        for name in names:
            if name in vars(owner):
                _replaced.put(owner, name, _wide(vars(owner)[name], cast))


def _wide(original: Callable, cast: Callable) -> Callable:
    @functools.wraps(original)
    def operation(*args: Any, **kwargs: Any) -> Any:
        lifted = _active.value
        if lifted is None or not is_the_programs(_PADDLE):
            return hand_on(original, *args, **kwargs)
        if isinstance(lifted, Rounded):
            return _rounded(hand_on(original, *args, **kwargs), original, (*args, *kwargs.values()), lifted, cast)
        wide, keywords = [_wider(value) for value in args], {name: _wider(value) for name, value in kwargs.items()}
        named = any(one is not other for one, other in zip((*args, *kwargs.values()), (*wide, *keywords.values()), strict=True))
        result = hand_on(original, *wide, **keywords)
        to = _wider(result.dtype) if isinstance(result, paddle.Tensor) else None
        made = to is not None and to != result.dtype
        lifted.count += named or made
        return hand_on(cast, result, to) if made else result

    return operation


def _rounded(result: Any, original: Callable, given: tuple, lifted: Rounded, cast: Callable) -> Any:
    """A dtype that the program has named is no other than the default by the time a kernel is asked: float64 is rounded as well."""
    constant = isinstance(result, paddle.Tensor) and result.dtype == paddle.float64 and result.stop_gradient
    if not constant or not of_numbers(getattr(original, "__name__", ""), given, paddle.Tensor):
        return result
    rounded = hand_on(cast, hand_on(cast, result, paddle.float32), paddle.float64)
    lifted.count += not bool((rounded == result).all())
    return rounded


def _wider(value: Any) -> Any:
    """float64 for float32, as Paddle's functions hand dtypes to their kernels or users to `to_tensor`."""
    if isinstance(value, type(paddle.float32)):
        return next((wide for narrow, wide in _WIDER if value == narrow), value)
    return value

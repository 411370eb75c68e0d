"""What Paddle computes wrongly in float64 alone, or not at all, as it computes it in float32.

Programs run in float32, where it is right, so it is no fault of theirs where a comparison runs them in float64. What is written by
index (`x[rows] = value`, `x[mask] *= 2`): since 3.3 the backward of that kernel reads float64 as float32 (docs/differences.md:
written_by_index); the same elements are written by `index_put_`. `log_loss`: it has no kernel for float64, and is composed.

Of 438 calls of Paddle's functions, with their gradients, no other is another one in float64 than in float32.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle
from paddle import _C_ops

from parity.blame import hand_on
from parity.frameworks.replacing import Attributes, Replacing

_active = Replacing()
_replaced = Attributes()


@contextmanager
def right_in_float64() -> Iterator[None]:
    """While active, programs in this thread have these operations in float64 as they are in float32."""
    with _active.on(True, _install, _replaced.restore):
        yield


def _install() -> None:
    for owner, name, replace in ((paddle.Tensor, "_setitem_dygraph", _writing), (_C_ops, "log_loss", _log_loss)):
        if name in vars(owner) and (replace is _log_loss or _loses_gradients()):
            _replaced.put(owner, name, replace(vars(owner)[name]))


@functools.cache
def _loses_gradients() -> bool:
    """Whether this Paddle is one of those that do; others read by fewer kinds of index than they write."""
    with paddle.enable_grad():
        value = paddle.ones([2, 4], "float64")
        value.stop_gradient = False
        x = paddle.zeros([3, 4], "float64")
        x[paddle.to_tensor([0, 2])] = value
        gradient, = paddle.grad(x.sum(), value)  # a backward would be taken for the program's
    return bool((gradient != 1).any())


def _writing(original: Callable) -> Callable:
    def write(self: paddle.Tensor, item: Any, value: Any) -> Any:
        if not _active.value or not _goes_wrong(self, item, value):
            return hand_on(original, self, item, value)
        with paddle.no_grad():
            places = paddle.arange(self.size).reshape(self.shape)[item]
        if not places.size:
            return hand_on(original, self, item, value)
        indices = tuple(map(paddle.to_tensor, np.unravel_index(places.numpy(), tuple(self.shape))))
        return hand_on(paddle.Tensor.index_put_, self, indices, _as_shaped(value, places.shape))

    return write


def _log_loss(original: Callable) -> Callable:
    def log_loss(p: paddle.Tensor, label: paddle.Tensor, epsilon: float) -> paddle.Tensor:
        if not _active.value or p.dtype != paddle.float64:
            return hand_on(original, p, label, epsilon)
        label, small = label.detach(), paddle.full([], epsilon, p.dtype)  # the kernel has no gradient for labels
        return -label * paddle.log(p + small) - (1 - label) * paddle.log(1 - p + small)

    return log_loss


def _goes_wrong(tensor: paddle.Tensor, item: Any, value: Any) -> bool:
    """Not asked of an item with a new axis, of which Paddle reads others than it writes, nor of one number that is written by a
    mask, which has no gradient in float32 either (written_by_mask)."""
    if not (isinstance(value, paddle.Tensor) and tensor.dtype == value.dtype == paddle.float64):
        return False
    if value.stop_gradient or not paddle.is_grad_enabled():
        return False
    parts = item if isinstance(item, tuple) else (item,)
    if any(one is None for one in parts) or (len(parts) == 1 and value.size == 1 and _is_mask(parts[0])):
        return False
    return any(isinstance(one, (paddle.Tensor, np.ndarray, list, bool)) for one in parts)


def _is_mask(item: Any) -> bool:
    return item.dtype == paddle.bool if isinstance(item, paddle.Tensor) else np.asarray(item).dtype == bool


def _as_shaped(value: paddle.Tensor, shape: list[int]) -> paddle.Tensor:
    """As an assignment broadcasts: what has more dimensions has them of one element."""
    more = value.ndim - len(shape)
    return paddle.broadcast_to(value.reshape(value.shape[more:]) if more > 0 else value, shape)

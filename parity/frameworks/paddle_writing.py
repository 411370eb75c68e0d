"""What Paddle 3.3 writes by index (`x[rows] = value`, `x[mask] *= 2`), with the gradients that it has in float32.

The backward of that kernel reads float64 as float32, and what comes back to the value is neither (docs/differences.md:
written_by_index). Programs run in float32, where it is right, so it is no fault of theirs: where a comparison runs them in float64,
the same elements are written by `index_put_`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle

from parity.blame import hand_on
from parity.frameworks.replacing import Attributes, Replacing

_KERNEL = "_setitem_dygraph"
_active = Replacing()
_replaced = Attributes()


@contextmanager
def written_rightly() -> Iterator[None]:
    """While active, item assignment in this thread gives a float64 value its gradient."""
    with _active.on(True, _install, _replaced.restore):
        yield


def _install() -> None:
    original = vars(paddle.Tensor).get(_KERNEL)
    if original is None:  # a Paddle that writes by other means
        return

    def write(self: paddle.Tensor, item: Any, value: Any) -> Any:
        if not _active.value or not _goes_wrong(self, item, value):
            return hand_on(original, self, item, value)
        with paddle.no_grad():
            places = paddle.arange(self.size).reshape(self.shape)[item]
        if not places.size:
            return hand_on(original, self, item, value)
        indices = tuple(map(paddle.to_tensor, np.unravel_index(places.numpy(), tuple(self.shape))))
        return hand_on(paddle.Tensor.index_put_, self, indices, _as_shaped(value, places.shape))

    _replaced.put(paddle.Tensor, _KERNEL, write)


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

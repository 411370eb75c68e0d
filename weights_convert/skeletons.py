"""Networks without weights: names, types and shapes are all that a plan needs of them."""

from collections.abc import Callable
from contextlib import contextmanager

import paddle
import torch
from paddle.base import initializer


def torch_skeleton(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """The network on the meta device."""
    with torch.device("meta"):
        return make()


def paddle_skeleton(make: Callable[[], paddle.nn.Layer]) -> paddle.nn.Layer:
    """The network with parameters that were never made; all zeros where its constructor looks at them."""
    try:
        with paddle.LazyGuard():
            return make()
    except Exception:  # an old-style spectral norm, say, computes with the weight
        with _zeros():
            return make()


@contextmanager
def _zeros():
    """Paddle draws random numbers slowly. A default that the user has set is left to him."""
    if initializer._global_weight_initializer() or initializer._global_bias_initializer():
        yield
        return
    paddle.nn.initializer.set_global_initializer(paddle.nn.initializer.Constant(0.0))
    try:
        yield
    finally:
        paddle.nn.initializer.set_global_initializer(None)

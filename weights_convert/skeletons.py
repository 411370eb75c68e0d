"""Networks without weights: names, types and shapes are all that a plan needs of them."""

from collections.abc import Callable
from contextlib import contextmanager

import paddle
import torch
from paddle.nn import initializer
from torch.overrides import TorchFunctionMode


def torch_skeleton(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """The network on the meta device."""
    with torch.device("meta"), _Uncomputed():
        return make()


def paddle_skeleton(make: Callable[[], paddle.nn.Layer]) -> paddle.nn.Layer:
    """The network with parameters that were never made; all zeros where its constructor looks at them.

    Its parameters' global names are those of a process that builds it first.
    """
    try:
        with paddle.utils.unique_name.guard(), paddle.LazyGuard():
            return make()
    except Exception:  # an old-style spectral norm, say, computes with the weight
        with paddle.utils.unique_name.guard(), _zeros():
            return make()


class _Uncomputed(TorchFunctionMode):
    """What constructors do to weights that keeps their shape is left out where they have no memory: torch imports its
    compiler, for more than a second, to do nothing."""

    _SHAPE_KEPT = frozenset({torch.Tensor.normal_, torch.Tensor.uniform_, torch.nn.functional.normalize})

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in self._SHAPE_KEPT and args[0].is_meta:
            return args[0]
        return function(*args, **(kwargs or {}))


@contextmanager
def _zeros():
    """Whatever initializer a layer asks for: Paddle draws random numbers slowly."""
    call, zeros = initializer.Initializer.__call__, initializer.Constant(0.0)
    initializer.Initializer.__call__ = lambda self, parameter, block=None: call(zeros, parameter, block)
    try:
        yield
    finally:
        initializer.Initializer.__call__ = call

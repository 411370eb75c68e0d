"""Paddle's gradient scaler on the CPU, as it is on a GPU.

On the CPU it warns and turns itself off, so nothing that goes wrong around it would show. It scales by powers of two, which loses
no digit: what a program does with it can be followed in any precision. Of numbers of float64 it knows nothing on any device.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import paddle
from paddle.amp import grad_scaler
from paddle.amp.auto_cast import amp_global_state

from parity.blame import hand_on
from parity.frameworks.replacing import Attributes, Replacing

_GPU = SimpleNamespace(_expected_place=SimpleNamespace(is_gpu_place=lambda: True))  # all that the constructor looks at
_active, _replaced = Replacing(), Attributes()


@contextmanager
def scaling() -> Iterator[None]:
    """While active, a scaler that this thread makes is on, and knows float64."""
    before = amp_global_state().amp_dtype  # that of the latest autocast, by which a scaler goes
    with _active.on(True, _install, _replaced.restore):
        try:
            yield
        finally:
            amp_global_state().amp_dtype = before


def _install() -> None:
    scaler, tracer = grad_scaler.AmpScaler, grad_scaler._dygraph_tracer
    _replaced.put(grad_scaler, "_dygraph_tracer", lambda: _GPU if _active.value else tracer())
    _replaced.put(scaler, "scale", _scales_float64(scaler.scale))
    _replaced.put(scaler, "_unscale", _unscales_float64(scaler._unscale))


def _scales_float64(original: Callable) -> Callable:
    @functools.wraps(original)
    def scale(self: Any, var: Any) -> Any:
        if not (_active.value and isinstance(var, paddle.Tensor) and var.dtype == paddle.float64):
            return hand_on(original, self, var)
        hand_on(original, self, paddle.zeros([], "float32"))  # which may turn itself off; of a single number it would make float32
        return var * self._scale.astype("float64") if self._enable else var

    return scale


def _unscales_float64(original: Callable) -> Callable:
    @functools.wraps(original)
    def unscale(self: Any, optimizer: Any) -> Any:
        held = optimizer._parameter_list if self._enable and _active.value else []
        held = [one for group in held for one in (group["params"] if isinstance(group, dict) else [group])]
        gradients = [one._grad_ivar() for one in held if one._grad_ivar() is not None]
        wide = [one for one in gradients if one.dtype == paddle.float64]
        scale = self._scale
        with paddle.no_grad():
            before = [one.clone() for one in wide]
            if wide and len(wide) == len(gradients):
                self._scale = scale.astype("float64")  # those of groups it hands to a kernel that wants both alike, others to none
            try:
                result = hand_on(original, self, optimizer)
            finally:
                self._scale = scale
            for gradient, scaled in zip(wide, before, strict=True):
                paddle.assign(scaled / scale.astype("float64"), gradient)
                self._found_inf = paddle.logical_or(self._found_inf, ~paddle.isfinite(scaled).all().reshape([1]))
        return result

    return unscale

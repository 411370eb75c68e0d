"""What Paddle's mixed precision does on a GPU alone: its gradient scaler, here as there; and which weights it makes half.

On the CPU a scaler warns and turns itself off, so nothing that goes wrong around it would show. It scales by powers of two, which
loses no digit: what a program does with it can be followed in any precision. Of numbers of float64 it knows nothing on any device.
`paddle.amp.decorate` hands back what it is given, without a word; there is nothing to compute in half precision, so it is noted.
"""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import paddle
from paddle.amp import grad_scaler
from paddle.amp.auto_cast import amp_global_state

from parity.blame import hand_on
from parity.frameworks.lifting import folder_of
from parity.frameworks.replacing import Attributes, Replacing

_AUTO_CAST = sys.modules["paddle.amp.auto_cast"]
_GPU = SimpleNamespace(_expected_place=SimpleNamespace(is_gpu_place=lambda: True))  # all that the constructor looks at
_PADDLE = folder_of(paddle)
_active, _replaced = Replacing(), Attributes()
_decorated: weakref.WeakKeyDictionary[Any, Decorated] = weakref.WeakKeyDictionary()


class Decorated(NamedTuple):
    """What `paddle.amp.decorate` makes of a network's weights on a GPU. place: file and line of its call."""

    dtype: str
    master_weights: bool
    place: tuple[str, int]


def decorated(network: Any) -> Decorated | None:
    """None where it has not been, at level O2."""
    return _decorated.get(network)


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
    _replaced.put(_AUTO_CAST, "amp_decorate", _noted(_AUTO_CAST.amp_decorate))
    _replaced.put(scaler, "scale", _scales_float64(scaler.scale))
    _replaced.put(scaler, "_unscale", _unscales_float64(scaler._unscale))


def _noted(original: Callable) -> Callable:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def decorate(*args: Any, **kwargs: Any) -> Any:
        result = hand_on(original, *args, **kwargs)
        given = hand_on(signature.bind, *args, **kwargs)
        given.apply_defaults()
        asked, frame = given.arguments, sys._getframe(1)
        while frame.f_code.co_filename.startswith(_PADDLE):
            frame = frame.f_back
        models = asked["models"] if isinstance(asked["models"], (list, tuple)) else [asked["models"]]
        for model in models if asked["level"] == "O2" and _active.value else ():
            _decorated[model] = Decorated(str(getattr(asked["dtype"], "name", asked["dtype"])).lower(),
                                          asked["master_weight"] is not False, (frame.f_code.co_filename, frame.f_lineno))
        return result

    return decorate


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

"""Making torch behave like Paddle for the time of a `with`, and counting how often that changed anything.

torch hands every call of its functions and tensor methods to the active `TorchFunctionMode`, under whatever name the
caller imported them. So nothing is patched, and nothing is left behind, however the `with` ends.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from parity.blame import hand_on


class Acted:
    """How often an imitation changed a value or a gradient; true if it did. One that never acted explains nothing."""

    def __init__(self) -> None:
        self.count = 0

    def __bool__(self) -> bool:
        return self.count > 0


Handler = Callable[..., Any]
"""handler(acted, function, *args, **kwargs): does what Paddle does where it differs, else calls the function."""


class Intercepting:
    """An imitation made of handlers: function of torch -> what stands in for it."""

    def __init__(self, handlers: dict[Any, Handler]) -> None:
        self.handlers = handlers

    @contextmanager
    def __call__(self) -> Iterator[Acted]:
        acted = Acted()
        with _Intercept([(acted, self.handlers)]):
            yield acted


class _Intercept(TorchFunctionMode):
    """Several of them, of which the last is asked first; what a handler calls in its turn goes to those before it."""

    def __init__(self, imitations: list[tuple[Acted, dict[Any, Handler]]]) -> None:
        super().__init__()
        self._imitations = imitations
        self._last = {function: number for number, (_, handlers) in enumerate(imitations) for function in handlers}

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        number = self._last.get(func)
        if number is None:
            return hand_on(func, *args, **(kwargs or {}))
        acted, handlers = self._imitations[number]
        with _Intercept(self._imitations[:number]) if number else nullcontext():
            return handlers[func](acted, func, *args, **(kwargs or {}))


def intercepting(handlers: dict[Handler, tuple]) -> Intercepting:
    """An `imitate` from handlers, each with the torch functions that it stands in for."""
    return Intercepting({function: handler for handler, functions in handlers.items() for function in functions})


@contextmanager
def at_once(imitations: Iterable[Callable[[], AbstractContextManager[Acted]]]) -> Iterator[list[Acted]]:
    """All of them, each within those before it. A call of torch passes through one mode, however many there are."""
    acted: list[Acted] = []
    intercepted: list[tuple[Acted, dict[Any, Handler]]] = []
    with ExitStack() as stack:
        for imitate in imitations:
            if isinstance(imitate, Intercepting):
                acted.append(Acted())
                intercepted.append((acted[-1], imitate.handlers))
            else:
                acted.append(stack.enter_context(imitate()))
        stack.enter_context(_Intercept(intercepted))
        yield acted


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute of a class replaced, where a difference lies in a method of torch and no function shows it."""
    inherited = name not in vars(owner)
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


Settings = Callable[[str, Any, dict[str, Any]], dict[str, Any]]
"""(optimizer: "sgd", "adam", "adamw", "rmsprop", ...; the dtype of its parameters; its settings) -> those that Paddle would
compute with."""
_OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "asgd")


def in_optimizers(settings: Settings) -> Callable[[], AbstractContextManager[Acted]]:
    """An `imitate` that gives torch's optimizers other settings as they compute. Their `step` is no place for it: a scheduler
    keeps the one that it found."""
    return updating(with_settings(settings))


def with_settings(settings: Settings) -> dict[str, Handler]:
    """The handlers of all optimizers that give them other settings."""
    def handler(name: str) -> Handler:
        def optimize(acted: Acted, function: Any, params: list, *args: Any, **kwargs: Any) -> Any:
            kind = "adamw" if name == "adam" and kwargs.get("decoupled_weight_decay", False) else name
            changed = settings(kind, params[0].dtype, kwargs) if params else {}
            acted.count += any(kwargs[key] != value for key, value in changed.items())
            return function(params, *args, **{**kwargs, **changed})

        return optimize

    return {name: handler(name) for name in _OPTIMIZERS}


def updating(handlers: Mapping[str, Handler]) -> Callable[[], AbstractContextManager[Acted]]:
    """An `imitate` from handlers of the functions in which torch's optimizers compute ("adam": torch.optim.adam.adam)."""
    @contextmanager
    def imitate() -> Iterator[Acted]:
        acted = Acted()
        with ExitStack() as stack:
            for name, handler in handlers.items():
                module = importlib.import_module(f"torch.optim.{name}")
                stack.enter_context(replaced(module, name, functools.partial(handler, acted, getattr(module, name))))
            yield acted

    return imitate


def methods(*names: str) -> tuple:
    """The torch functions and Tensor methods of these names, as far as they exist: `add` -> torch.add, Tensor.add."""
    return tuple(getattr(owner, name) for name in names for owner in (torch, torch.Tensor) if hasattr(owner, name))


class _Value(torch.autograd.Function):
    """Another value, the same gradient."""

    @staticmethod
    def forward(ctx: Any, result: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        return gradient, None


def with_value(acted: Acted, result: torch.Tensor, value: np.ndarray) -> torch.Tensor:
    """`result` with Paddle's value, its gradient kept."""
    other = torch.from_numpy(np.ascontiguousarray(value)).to(result).reshape(result.shape)
    if torch.equal(other, result.detach()):
        return result
    acted.count += 1
    return _Value.apply(result, other)


class _Scaled(torch.autograd.Function):
    """The same value, its gradient times a factor."""

    @staticmethod
    def forward(ctx: Any, result: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(factor)
        return result.view_as(result)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        return gradient * ctx.saved_tensors[0], None


def with_gradient_times(acted: Acted, result: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """`result` whose gradient is multiplied by `factor` (of a shape that broadcasts to it)."""
    if not result.requires_grad or bool((factor == 1).all()):
        return result
    acted.count += 1
    return _Scaled.apply(result, factor)


def naive_sum(array: np.ndarray, axes: tuple[int, ...], lanes: int = 1) -> np.ndarray:
    """The sum over `axes`, dimensions kept, one term after the other in the array's own precision.

    lanes: that many running sums side by side, added up in the end.
    """
    axes = tuple(sorted(axis % array.ndim for axis in axes))
    rest = [axis for axis in range(array.ndim) if axis not in axes]
    rows = array.transpose(rest + list(axes)).reshape([array.shape[axis] for axis in rest] + [-1])
    kept = [1 if axis in axes else size for axis, size in enumerate(array.shape)]
    if lanes > 1:
        padding = [(0, 0)] * (rows.ndim - 1) + [(0, -rows.shape[-1] % lanes)]
        rows = np.pad(rows, padding).reshape(*rows.shape[:-1], -1, lanes)
        rows = np.add.accumulate(rows, axis=-2, dtype=array.dtype)[..., -1, :]
    return np.add.accumulate(rows, axis=-1, dtype=array.dtype)[..., -1].reshape(kept)


def axes_of(x: torch.Tensor, dim: Any) -> tuple[int, ...]:
    """The axes that a reduction's `dim` means."""
    if dim is None or dim == ():
        return tuple(range(x.dim()))
    return tuple(axis % x.dim() for axis in ((dim,) if isinstance(dim, int) else dim))

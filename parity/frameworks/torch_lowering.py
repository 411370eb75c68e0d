"""`parity.frameworks.lowering` of torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch.amp import grad_scaler
from torch.overrides import TorchFunctionMode

from parity.blame import hand_on
from parity.frameworks.autocast_lists import kind_of_torch
from parity.frameworks.lifting import folder_of, is_the_programs
from parity.frameworks.lowering import Asked, Lowered
from parity.frameworks.nests import leaves
from parity.frameworks.replacing import Attributes, Replacing

_TORCH = folder_of(torch)
_CASTS = {"to", "type", "float", "double", "half", "bfloat16", "type_as"}
_HALVES = {torch.float16: "float16", torch.bfloat16: "bfloat16"}
_active, _replaced = Replacing(), Attributes()


@contextmanager
def lowering(lowered: Lowered, on_cpu: bool) -> Iterator[None]:
    """While active, `lowered` is told of this thread's regions, and, from the first of them on, of what is computed. on_cpu:
    nothing is lowered, as Paddle lowers nothing there."""
    with ExitStack() as stack, _active.on(_Run(lowered, on_cpu, stack), _install, _replaced.restore):
        yield


class _Run:
    def __init__(self, lowered: Lowered, on_cpu: bool, stack: ExitStack) -> None:
        self.lowered, self.on_cpu, self._stack, self._watched = lowered, on_cpu, stack, False

    def watch(self) -> None:
        if not self._watched:
            self._watched = True
            self._stack.enter_context(_Computing(self.lowered))


class _Computing(TorchFunctionMode):
    """From within, so that each function is seen as the program calls it."""

    def __init__(self, lowered: Lowered) -> None:
        super().__init__()
        self._lowered = lowered

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        result = hand_on(func, *args, **kwargs)
        name = getattr(func, "__name__", "").strip("_")
        if not isinstance(result, (torch.Tensor, tuple, list)) or torch._C._current_graph_task_id() != -1 or name == "get":
            return result
        results = _floats(result)
        if name in _CASTS and isinstance(result, torch.Tensor):
            if name != "to" or any(isinstance(one, (torch.dtype, torch.Tensor)) for one in (*args[1:], *kwargs.values())):
                narrowed = result.dtype == torch.float32 and args[0].dtype == torch.float64
                if result is args[0] or (narrowed and is_the_programs(_TORCH, grad_scaler.__file__)):
                    result = args[0].clone()  # full precision is the lane's, and what was cast may be in half
                self._lowered.mark(_floats(result), _HALVES.get(result.dtype))
            return result
        given = _floats((args, tuple(kwargs.values())))
        self._lowered.computed(kind_of_torch(name, args), name, given, results)
        return result


def _floats(nest: Any) -> list[torch.Tensor]:
    return [leaf for _, leaf in leaves(nest, lambda value: isinstance(value, torch.Tensor))
            if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def _install() -> None:
    own = {name: vars(torch.autocast)[name] for name in ("__init__", "__enter__", "__exit__")}

    def init(context: Any, device_type: str, dtype: Any = None, enabled: bool = True, *more: Any, **others: Any) -> None:
        hand_on(own["__init__"], context, device_type, dtype, enabled, *more, **others)
        context._asked_for = bool(enabled)  # for another device than the machine has, it is off then

    def enter(context: Any) -> Any:
        result = hand_on(own["__enter__"], context)
        run = _active.value
        if run is not None:
            asked = getattr(context, "_asked_for", context._enabled)
            if asked:
                run.watch()
            if run.on_cpu and context.device == "cpu":
                torch.set_autocast_enabled("cpu", False)
            run.lowered.enter(Asked(str(context.fast_dtype).removeprefix("torch.")) if asked else None)
        return result

    def leave(context: Any, *raised: Any) -> Any:
        if _active.value is not None:
            _active.value.lowered.leave()
        return hand_on(own["__exit__"], context, *raised)

    for name, function in (("__init__", init), ("__enter__", enter), ("__exit__", leave)):
        _replaced.put(torch.autocast, name, function)

"""`parity.frameworks.lowering` of Paddle, whose Python reaches its kernels as attributes of `paddle._C_ops`, or as operators."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import paddle
from paddle import _C_ops

from parity.blame import hand_on
from parity.frameworks.autocast_lists import FULL_IN_PADDLE, LISTED, kind_of_paddle
from parity.frameworks.lifting import folder_of, is_the_programs
from parity.frameworks.lowering import Asked, Lowered
from parity.frameworks.nests import leaves
from parity.frameworks.replacing import Attributes, Replacing

_AUTO_CAST = sys.modules["paddle.amp.auto_cast"]
_OPERATORS = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__div__",
              "__rdiv__", "__pow__", "__rpow__", "__matmul__", "__rmatmul__", "__neg__", "__getitem__", "clone")
_PADDLE = folder_of(paddle)
_CASTS = ("astype", "cast", "to")
_HALVES = {paddle.float16: "float16", paddle.bfloat16: "bfloat16"}
_FLOATS = (paddle.float16, paddle.bfloat16, paddle.float32, paddle.float64)
_regions, _computing = Replacing(), Replacing()
_replaced, _watched = Attributes(), Attributes()


@contextmanager
def lowering(lowered: Lowered) -> Iterator[None]:
    """While active, `lowered` is told of this thread's regions, and, from the first of them on, of what is computed."""
    with ExitStack() as stack, _regions.on((lowered, stack), _install, _replaced.restore):
        yield


def _install() -> None:
    own = _AUTO_CAST.amp_guard
    signature = inspect.signature(own)

    @functools.wraps(own)
    @contextmanager
    def region(*args: Any, **kwargs: Any) -> Iterator[None]:
        if _regions.value is None:
            with hand_on(own, *args, **kwargs):
                yield
            return
        lowered, stack = _regions.value
        asked = _asked(hand_on(signature.bind, *args, **kwargs))
        with hand_on(own, *args, **kwargs):
            if asked is not None and _computing.value is not lowered:
                stack.enter_context(_computing.on(lowered, _watch, _watched.restore))
            lowered.enter(asked)
            try:
                yield
            finally:
                lowered.leave()

    _replaced.put(_AUTO_CAST, "amp_guard", region)


def _asked(given: inspect.BoundArguments) -> Asked | None:
    given.apply_defaults()
    arguments = given.arguments
    level, dtype = arguments["level"].upper(), str(getattr(arguments["dtype"], "name", arguments["dtype"])).lower()
    if not arguments["enable"] or level == "O0":
        return None
    white, black = (frozenset(arguments[name] or ()) for name in ("custom_white_list", "custom_black_list"))
    full = frozenset() if level == "OD" or level == "O2" else FULL_IN_PADDLE
    return Asked(dtype, level, (full | black) - white, white)


def _watch() -> None:
    kernels = [name for name, kernel in vars(_C_ops).items() if not name.startswith("_") and callable(kernel)]
    for owner, names in ((_C_ops, kernels), (paddle.Tensor, (*_OPERATORS, *_CASTS))):
        for name in names:
            if name in vars(owner):
                _watched.put(owner, name, _seen(name, vars(owner)[name]))


def _seen(name: str, original: Callable) -> Callable:
    bare = name.strip("_")

    @functools.wraps(original)
    def operation(*args: Any, **kwargs: Any) -> Any:
        result = hand_on(original, *args, **kwargs)
        lowered = _computing.value
        if lowered is None:
            return result
        results = _floats(result)
        if name in _CASTS:
            named = (*args[1:], *kwargs.values())
            if results and (name != "to" or any(_is_dtype(one) for one in named)):
                narrowed = result.dtype == paddle.float32 and args[0].dtype == paddle.float64
                if result is args[0] or (narrowed and is_the_programs(_PADDLE)):
                    result = args[0].clone()  # full precision is the lane's, and what was cast may be in half
                lowered.mark([result], _HALVES.get(result.dtype))
        elif results:
            lowered.computed(kind_of_paddle(bare), LISTED.get(bare, bare), _floats((args, tuple(kwargs.values()))), results)
        return result

    return operation


def _is_dtype(value: Any) -> bool:
    return isinstance(value, (paddle.dtype, paddle.Tensor)) or (isinstance(value, str) and "float" in value)


def _floats(nest: Any) -> list[paddle.Tensor]:
    return [leaf for _, leaf in leaves(nest, lambda value: isinstance(value, paddle.Tensor))
            if isinstance(leaf, paddle.Tensor) and leaf.dtype in _FLOATS]

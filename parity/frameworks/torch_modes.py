"""A dispatch mode of torch that costs no more than what it does."""

from __future__ import annotations

import functools
import sys
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Seeing(TorchDispatchMode):
    """While active, each operation that reaches a kernel goes through `operation`.

    torch keeps its compiler from compiling a mode's own code, for which it imports that compiler at the first operation (two
    seconds in every process) and goes through it at each. Here that is done while compiled code runs.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if _compiler() is not None:
            return _uncompiled()(self, func, args, kwargs or {})
        return self.operation(func, args, kwargs or {})

    def operation(self, func: Any, args: tuple, kwargs: dict) -> Any:
        """What it does in place of `func(*args, **kwargs)`."""
        raise NotImplementedError


# By identity, as an operator's hash is Python code; each is kept, so that no other gets its number.
_names: dict[int, tuple[Any, str]] = {}


def name_of(operator: Any) -> str:
    """Its bare name: "bernoulli_" of aten.bernoulli_.float."""
    known = _names.get(id(operator))
    if known is None:
        known = _names[id(operator)] = operator, operator._schema.name.partition("::")[2]
    return known[1]


# What compiles the Python code that runs now, if anything does; older versions of torch do not say.
_compiler = getattr(torch._C._dynamo.eval_frame, "get_eval_frame_callback", lambda: sys.modules.get("torch._dynamo"))


@functools.cache
def _uncompiled() -> Any:
    from torch import _dynamo
    return _dynamo.disable(lambda mode, func, args, kwargs: mode.operation(func, args, kwargs))

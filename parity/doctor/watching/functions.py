"""Functions with a backward of the user's own: do they go on with the gradient that they are given?"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import Any

import numpy as np

from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers
from parity.trace.source import Site


class Functions:
    """What such a function gives is looked at; where it is one number, its gradient may be taken for 1."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        owner = self._scene.framework.function_class
        original, own = inspect.getattr_static(owner, "apply"), "apply" in vars(owner)

        def apply(kind: type, *args: Any, **kwargs: Any) -> Any:
            result = original.__get__(None, kind)(*args, **kwargs)
            if self._scene.current is not None and self._scene.current.close:
                try:
                    self._look(kind, result)
                except Exception as error:  # of the watch: the program gets what the function gives
                    self._scene.fail(error)
            return result

        owner.apply = classmethod(apply)
        wrappers.on_close(lambda: setattr(owner, "apply", original) if own else delattr(owner, "apply"))

    def _look(self, kind: type, result: Any) -> None:
        framework, current = self._scene.framework, self._scene.current
        outputs = [result] if framework.is_tensor(result) else [tensor for _, tensor in framework.tensors_in(result)]
        large = any(framework.requires_grad(one) and np.prod(framework.shape_dtype(one)[0]) > 1 for one in outputs)
        site = unread(kind) if large else None
        if site is not None and (kind.__name__, site) not in current.unused_gradients:
            current.unused_gradients.append((kind.__name__, site))


@functools.cache
def unread(kind: type) -> Site | None:
    """The first line at which the backward of this class returns something, where it reads no gradient that it is given."""
    backward = kind.backward
    try:
        lines, first = inspect.getsourcelines(backward)
        (function,) = ast.parse(textwrap.dedent("".join(lines))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    given = {argument.arg for argument in function.args.args[1:]} | ({function.args.vararg.arg} if function.args.vararg else set())
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    returned = [node for node in ast.walk(function) if isinstance(node, ast.Return) and _is_something(node.value)]
    if not given or given & read or not returned:
        return None
    return Site(inspect.getsourcefile(backward), first + returned[0].lineno - 1)


def _is_something(value: ast.expr | None) -> bool:
    """Whether a value that is returned is anything but None, or a tuple of such."""
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return any(part is not None and not (isinstance(part, ast.Constant) and part.value is None) for part in parts)

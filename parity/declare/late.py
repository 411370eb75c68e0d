"""Layers that a program makes in its first forward, once it sees its input (`if self.fc is None: self.fc = Linear(...)`)."""

from __future__ import annotations

import ast
import functools
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from parity.trace.source import class_text, is_own

_LIBRARIES = ("torch", "paddle", "builtins")
_CONSTRUCTORS = ("__init__", "__new__")


def makes_layers(modules: Iterable[tuple[str, Any]]) -> bool:
    """Whether the classes of a built model's modules say so: outside of its constructor one sets an attribute, which the module has
    not got yet, to an object of some class or to a parameter. It may still be none of a layer: a run tells."""
    return any(getattr(module, name, None) is None for _, module in modules for name in _made_outside(type(module)))


@functools.cache
def _made_outside(kind: type) -> frozenset[str]:
    """The attributes that a class makes outside of its constructor."""
    return frozenset(name for base in kind.__mro__ if base.__module__.partition(".")[0] not in _LIBRARIES
                     for name in _assigned(base))


def _assigned(kind: type) -> Iterator[str]:
    try:
        written = ast.parse(textwrap.dedent(class_text(kind))).body
    except SyntaxError:
        return
    for function in written[0].body if written else ():
        if isinstance(function, ast.FunctionDef) and function.name not in _CONSTRUCTORS:
            for statement in ast.walk(function):
                if isinstance(statement, ast.Assign) and _builds(statement.value):
                    yield from (target.attr for target in statement.targets if is_own(target))


def _builds(value: ast.expr) -> bool:
    called = (node.func for node in ast.walk(value) if isinstance(node, ast.Call))
    names = (func.attr if isinstance(func, ast.Attribute) else func.id for func in called
             if isinstance(func, (ast.Attribute, ast.Name)))
    return any(name[:1].isupper() or name == "create_parameter" for name in names)

"""Where things of a pipeline are written: the user's files, and the line that builds a transform."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from parity.blame import HOME, is_installed
from parity.trace.source import Site, SourceTree, code_of, parsed

_NOWHERE = "/no/source/of/the/user"


def sources(build: Any, objects: Iterable[Any]) -> SourceTree:
    """The user's files: that of the builder, those of what it built, and what else is loaded from their folders."""
    files = {file for file in map(_file, (build, *objects)) if file is not None and _is_users(file)}
    folders = tuple(str(Path(file).parent) + os.sep for file in files)
    loaded = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    files |= {file for file in loaded if isinstance(file, str) and file.startswith(folders) and _is_users(file)}
    return SourceTree(*(files or [_NOWHERE]))


def _is_users(file: str) -> bool:
    return not is_installed(file) and not file.startswith((HOME, sys.base_prefix))


def _file(thing: Any) -> str | None:
    code = code_of(thing) if inspect.isroutine(thing) else None
    kind = thing if isinstance(thing, type) else type(thing)
    return code.co_filename if code is not None else getattr(sys.modules.get(kind.__module__), "__file__", None)


def name_of(transform: Any) -> str:
    """A function's name, or that of an object's class."""
    return getattr(transform, "__name__", None) or type(transform).__name__


def site_of(transform: Any, source: SourceTree, modules: Iterable[ModuleType]) -> Site | None:
    """Where a transform is written: a function of the user's, or the line that builds it, where one alone can. modules: the
    user's."""
    if inspect.isroutine(transform):
        code = code_of(transform)
        return Site(code.co_filename, code.co_firstlineno) if code is not None and code.co_filename in source else None
    calls = [(module.__file__, call) for module in modules for call in _calls(module.__file__)
             if _resolved(call.func, vars(module)) is type(transform)]
    for found in (calls, [(file, call) for file, call in calls if _says(call, transform)]):
        if len(found) == 1:
            return Site(found[0][0], found[0][1].lineno)
    return None


def _calls(file: str) -> list[ast.Call]:
    tree = parsed(file)
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []


def _resolved(node: ast.AST, names: Mapping[str, Any]) -> Any:
    """What a dotted name stands for in a module."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    return getattr(_resolved(node.value, names), node.attr, None) if isinstance(node, ast.Attribute) else None


def _says(call: ast.Call, transform: Any) -> bool:
    """Whether the numbers that are written in a call are held by this transform."""
    written = {node.value for node in ast.walk(call) if isinstance(node, ast.Constant) and isinstance(node.value, (int, float))}
    held = {item for value in getattr(transform, "__dict__", {}).values()
            for item in (value if isinstance(value, (list, tuple)) else (value,)) if isinstance(item, (int, float))}
    return bool(written) and written <= held

"""Where in the user's source something was made: read off the code (AST), when its construction was not watched."""

from __future__ import annotations

import ast
import inspect
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from parity.blame import is_below
from parity.trace.source import Site, SourceTree, function_around, parsed

_LIBRARIES = (Path(__file__).resolve().parent.parent,  # the harness itself
              *dict.fromkeys(Path(sysconfig.get_paths()[key]).resolve() for key in ("stdlib", "purelib", "platlib")))

_HOPS = 6  # assignments and calls that are followed back


def is_library(file: str) -> bool:
    """Whether a file is Python's, an installed package's, or the harness's own."""
    if file.startswith("<"):
        return True
    return is_below(Path(file).resolve(), _LIBRARIES)


def user_source(files: Iterable[str], models: Iterable[Any]) -> SourceTree:
    """The folders of these files and of the models' classes; of an installed package that a model comes from, its own.

    What is installed below such a folder (a project has its environment in `.venv`, often) is a library all the same.
    """
    roots = []
    for file in [*files, *(file for model in models for file in _class_files(type(model)))]:
        path = Path(file).resolve()
        if is_library(file) and path.parent.name in ("site-packages", "dist-packages"):
            roots.append(path)
        else:
            roots.append(path.parent if path.parent != Path.home() else path)
    return UserFiles(*dict.fromkeys(roots))  # without roots: typed at a prompt, with layers of the library's only


def _class_files(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        package = base.__module__.partition(".")[0]
        module = sys.modules.get(base.__module__)
        if package not in ("torch", "paddle", "builtins", "abc", "typing") and getattr(module, "__file__", None):
            yield module.__file__


def decorator_site(owner: type, method: str, name: str) -> Site | None:
    """The decorator with this name in it, of a method of the class."""
    for base in owner.__mro__:
        function = inspect.unwrap(vars(base).get(method, owner))
        try:
            lines, first = inspect.getsourcelines(function)
            file = inspect.getsourcefile(function)
        except (OSError, TypeError):
            continue
        for number, line in enumerate(lines):
            if not line.lstrip().startswith("@"):
                break
            if name in line:
                return Site(str(file), first + number)
    return None


def assignment_site(files: Iterable[str], name: str, calls: str) -> Site | None:
    """The line that binds `name` (or `self.name`) to the result of a call; failing that, the only line that calls `calls`."""
    calling = []
    for file in dict.fromkeys(files):
        tree = parsed(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                for target in node.targets:
                    bound = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", None)
                    if bound == name:
                        return Site(file, node.lineno)
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
                if called == calls:
                    calling.append(Site(file, node.lineno))
    return calling[0] if len(calling) == 1 else None


def argument_site(call: Site | None, names: Iterable[str]) -> Site | None:
    """Of a call that begins on this line and goes over several: the line of its argument by one of these names; else that line."""
    tree, wanted = parsed(call.file) if call is not None else None, set(names)
    lines = [keyword.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno <= call.line <= node.end_lineno
             for keyword in node.keywords if keyword.arg in wanted] if tree is not None else []
    return Site(call.file, lines[0]) if len(lines) == 1 else call


def given_site(call: Site | None, name: str) -> Site | None:
    """Of a call of this function on this line, over several lines: the line of its first argument; else that line."""
    tree = parsed(call.file) if call is not None else None
    lines = {node.args[0].lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args
             and node.lineno <= call.line <= node.end_lineno
             and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)) == name
             } if tree is not None else ()
    return Site(call.file, lines.pop()) if len(lines) == 1 else call


def called(node: ast.Call) -> str | None:
    """The name of what is called, whatever it is an attribute of."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def bound_of(site: Site | None, name: str, position: int) -> tuple[str, Site] | None:
    """(name, line) of the latest assignment above of the first variable that is read in that argument of the call of this function
    on this line, where the function around has one."""
    tree = parsed(site.file) if site is not None else None
    given = next((node.args[position] for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) > position
                  and node.lineno <= site.line <= node.end_lineno
                  and called(node) == name), None) if tree is not None else None
    if given is None:
        return None
    read = {node.id for node in ast.walk(given) if isinstance(node, ast.Name)}
    above = [(node, target) for node in ast.walk(function_around(site) or tree) if isinstance(node, ast.Assign)
             and node.lineno < site.line for target in node.targets if isinstance(target, ast.Name) and target.id in read]
    node, target = max(above, key=lambda found: found[0].lineno, default=(None, None))
    return (target.id, Site(site.file, node.lineno)) if node is not None else None


def slicing_site(site: Site | None, position: int) -> Site | None:
    """The line that cuts out what a call on this line is given in that place: `y[:, 1:]` in an assignment above, or in what the
    function of the same file that is called there returns. None where no such line is found."""
    tree = parsed(site.file) if site is not None else None
    given = next((node.args[position] for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) > position
                  and node.lineno <= site.line <= node.end_lineno), None) if tree is not None else None
    line = _sliced(tree, function_around(site) or tree, given, None, _HOPS) if given is not None else None
    return Site(site.file, line) if line is not None and line != site.line else None


def _sliced(tree: ast.AST, scope: ast.AST, value: ast.expr, element: int | None, hops: int) -> int | None:
    """The line of the slice that a value (element: of a tuple) comes from, within so many assignments and calls."""
    if isinstance(value, ast.Tuple) and element is not None:
        value, element = value.elts[element], None
    if any(isinstance(node, ast.Slice) for node in ast.walk(value)):
        return value.lineno
    called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else None
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == called and hops):
        returns = [node for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
        return _sliced(tree, function, returns[0].value, element, hops - 1) if len(returns) == 1 else None
    read = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    above = [(node, target) for node in ast.walk(scope) if isinstance(node, ast.Assign) and node.lineno < value.lineno
             for target in node.targets if read & {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}]
    if not above or not hops:
        return None
    node, target = max(above, key=lambda found: found[0].lineno)
    names = [getattr(part, "id", None) for part in target.elts] if isinstance(target, ast.Tuple) else []
    element = next((number for number, name in enumerate(names) if name in read), None)
    return _sliced(tree, scope, node.value, element, hops - 1)


def variable_of(frame: FrameType | None, value: Any) -> str | None:
    """A local or global variable of a frame that holds this object."""
    scopes = (frame.f_locals, frame.f_globals) if frame is not None else ()
    return next((name for scope in scopes for name, held in scope.items() if held is value and not name.startswith("_")), None)


def name_in(frame: FrameType | None, value: Any) -> str | None:
    """What a frame calls this object: a local or global name, or an attribute of one of its locals."""
    if frame is None:
        return None
    if name := variable_of(frame, value):
        return name
    for held in frame.f_locals.values():
        for name, inner in getattr(held, "__dict__", {}).items() if not isinstance(held, type) else ():
            if inner is value:
                return name
    return None


def binding_site(frame: FrameType | None, value: Any) -> Site | None:
    """The latest line above the one that this frame has come to which binds the name that it calls the object by."""
    name = name_in(frame, value)
    tree = parsed(frame.f_code.co_filename) if name else None
    lines = {line for *_, line in frame.f_code.co_lines() if line} if name else set()
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assign) and node.lineno in lines
             and node.lineno < frame.f_lineno and any(isinstance(part, ast.Name) and part.id == name
                                                      for target in node.targets for part in ast.walk(target))] if tree else []
    return Site(frame.f_code.co_filename, max(found)) if found else None


class UserFiles(SourceTree):
    """The files below these roots (without any: wherever they are) that are no library's; of a root inside a library, all."""

    def __init__(self, *roots: str | Path) -> None:
        super().__init__(*(roots or (Path.cwd(),)))
        self._anywhere = not roots
        installed = [root for root in roots if is_library(str(root))]
        self._installed = SourceTree(*installed) if installed else ()

    def __contains__(self, file: str) -> bool:
        known = self._known.get(file)
        if known is None:
            mine = self._anywhere or super().__contains__(file)
            known = self._known[file] = file in self._installed or (mine and not is_library(file))
        return known

"""What a name stands for, read from the text of the user's own files: nothing is imported, nothing installed is looked into."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from parity.mending.patches import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
Read = Callable[[str], Source | None]
"""A file's source; None where it is not the user's own, or cannot be read."""

_DEEPEST = 4  # packages that hand on a name, and functions that call the next
_MOST = 12  # definitions that are looked into


@dataclass(frozen=True)
class Definition:
    """A function or a class, and the file that it stands in."""

    source: Source
    node: Function | ast.ClassDef

    @property
    def key(self) -> tuple[str, int]:
        return self.source.file, self.node.lineno

    @property
    def functions(self) -> list[Function]:
        """Itself, or the methods of a class."""
        return [self.node] if isinstance(self.node, Function) else [one for one in self.node.body if isinstance(one, Function)]


def used_by(source: Source, statements: Iterable[ast.stmt], read: Read, owner: ast.ClassDef | None = None,
            line: int = 0) -> Iterator[Definition]:
    """What the statements name, on that line first, and then what that names in turn; each once. owner: the class around them."""
    seen: set[tuple[str, int]] = set()
    level = [(source, list(statements), owner)]
    for _ in range(_DEEPEST):
        further = []
        for where, held, around in level:
            for found in _named(where, held, read, around, line):
                if found.key in seen:
                    continue
                seen.add(found.key)
                yield found
                if len(seen) == _MOST:
                    return
                inner = found.node if isinstance(found.node, ast.ClassDef) else None
                further += [(found.source, function.body, inner) for function in found.functions]
        level, line = further, 0


def _named(source: Source, statements: Iterable[ast.stmt], read: Read, owner: ast.ClassDef | None,
           line: int) -> Iterator[Definition]:
    for statement in statements:
        for node in sorted(ast.walk(statement), key=lambda node: getattr(node, "lineno", line) != line):
            if not isinstance(getattr(node, "ctx", None), ast.Load) or not isinstance(node, (ast.Name, ast.Attribute)):
                continue
            parts = ast.unparse(node).split(".")
            if not all(part.isidentifier() for part in parts):
                continue
            if parts[0] == "self" and owner is not None:
                method = next((one for one in owner.body if isinstance(one, Function) and one.name == parts[-1]), None)
                if len(parts) == 2 and method is not None:
                    yield Definition(source, method)
            elif (found := defined(source, parts, read)) is not None:
                yield found


def methods_called(statement: ast.stmt, files: Iterable[Source]) -> Iterator[Definition]:
    """Methods of the user's classes that are called as what the statement calls of an object whose class the text does not tell
    (`self.optimizer.step()`): first of those that are made of something imported, as an optimizer is."""
    called = {node.func.attr for node in ast.walk(statement) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
              and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "self")}
    found = [(not any(isinstance(base, ast.Attribute) for base in owner.bases), source, held) for source in files
             for owner in source.definitions.values() if isinstance(owner, ast.ClassDef) for held in owner.body
             if isinstance(held, Function) and held.name in called and not held.lineno <= statement.lineno <= held.end_lineno]
    return (Definition(source, held) for _, source, held in sorted(found, key=lambda one: one[0]))


def defined(source: Source, parts: list[str], read: Read, deepest: int = _DEEPEST) -> Definition | None:
    """The function or class that a dotted name stands for in a file."""
    if deepest == 0:
        return None
    if (node := source.definitions.get(parts[0])) is not None:
        return Definition(source, node) if len(parts) == 1 else _method(source, node, parts[1:])
    if parts[0] not in source.bound:
        return None
    name, level = source.bound[parts[0]]
    return _in_module(source, [*name.split("."), *parts[1:]], level, read, deepest)


def _method(source: Source, node: ast.AST, parts: list[str]) -> Definition | None:
    held = [one for one in getattr(node, "body", ()) if isinstance(one, Function) and [one.name] == parts]
    return Definition(source, held[0]) if held and isinstance(node, ast.ClassDef) else None


def _in_module(source: Source, parts: list[str], level: int, read: Read, deepest: int) -> Definition | None:
    """level: dots before the name; without any, it is looked for beside the file and in the folders above it."""
    folder = os.path.dirname(source.file)
    roots = [_above(folder, number) for number in ((level - 1,) if level else range(_DEEPEST + 1))]
    for root in dict.fromkeys(roots):
        for count in range(len(parts) - 1, -1 if level else 0, -1):
            path = os.path.join(root, *parts[:count])
            for file in (path + ".py", os.path.join(path, "__init__.py")):
                if os.path.isfile(file) and (found := read(file)) is not None:
                    return defined(found, parts[count:], read, deepest - 1) if found.file != source.file else None
    return None


def _above(folder: str, number: int) -> str:
    for _ in range(number):
        folder = os.path.dirname(folder)
    return folder


def namesake(reference: Source, line: int, twins: Iterable[Source]) -> tuple[Definition, Function] | None:
    """The twin's function, or class, that is called as the reference's around a line; and the reference's own node."""
    around = [node for node in ast.walk(reference.tree) if isinstance(node, (*Function.__args__, ast.ClassDef))
              and node.lineno <= line <= node.end_lineno]
    path = [node.name for node in sorted(around, key=lambda node: node.lineno)]
    for wanted in ([path, path[:1]] if len(path) > 1 else [path]):
        for twin in twins:
            held: list[ast.AST] = [twin.tree]
            for name in wanted:
                held = [one for node in held for one in getattr(node, "body", ())
                        if isinstance(one, (*Function.__args__, ast.ClassDef)) and one.name == name]
            if wanted and held:
                return Definition(twin, held[0]), sorted(around, key=lambda node: node.lineno)[len(wanted) - 1]
    return None

"""A fault as a diff: a line of the twin replaced while a `with` block runs, the file itself untouched.

The edited function is compiled from the edited source of its file under the file's own name and line numbers, so that
tracebacks, reports and the tracer show the faulty line where the good one stands. Only code objects are exchanged: every
reference to the function, however imported, sees the fault.
"""

from __future__ import annotations

import importlib
import linecache
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from types import CodeType, FunctionType

from parity.trace.source import Site


@dataclass(frozen=True)
class Edit:
    """In the function `where` ("package.module:Class.method"), the text `old` becomes `new`.

    `old` must stand there exactly once. Both are pieces of source within whole lines; `new` must not change the number
    of lines. names: what `new` uses and the twin's file does not import.
    """

    where: str
    old: str
    new: str
    names: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.old.count("\n") != self.new.count("\n"):
            raise EditError(f"{self.where}: the edit changes the number of lines, and so every place after it")

    @property
    def function(self) -> FunctionType:
        """Raises EditError where there is no such function."""
        module_name, _, path = self.where.partition(":")
        found = importlib.import_module(module_name)
        for name in path.split("."):
            found = vars(found).get(name) if hasattr(found, "__dict__") else None
            if found is None:
                raise EditError(f"{self.where}: there is no {name!r}")
        found = getattr(found, "__func__", found)
        if not isinstance(found, FunctionType):
            raise EditError(f"{self.where}: expected a function, found {type(found).__name__}")
        return found

    def site(self) -> tuple[str, int]:
        """File and line of the first line that the edit touches, in the untouched source."""
        file, lines, (first, last) = _source(self.function)
        offset = _offset(lines, first, last, self)
        return file, "".join(lines)[:offset].count("\n") + 1


    def shown(self) -> tuple[str, str, str]:
        """For readers: "file:line", the lines as they stand there, and as the edit makes them; without indentation."""
        file, first = self.site()
        lines = Path(file).read_text().splitlines(keepends=True)[first - 1:first + self.old.count("\n")]
        before = "".join(lines)
        return str(Site(file, first)), dedent(before).rstrip(), dedent(before.replace(self.old, self.new)).rstrip()


class EditError(ValueError):
    """An edit does not fit the source that it is meant for: the twin has changed, and its fault must follow."""


@contextmanager
def applied(edits: tuple[Edit, ...]) -> Iterator[None]:
    """The twin with all edits made, for the duration of the block. Edits of one file compose; the file is not touched."""
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        by_file.setdefault(_source(edit.function)[0], []).append(edit)
    codes = {id(edit.function): (edit.function, edit.function.__code__) for edit in edits}
    lines = {file: linecache.cache.get(file) for file in by_file}
    added = [(edit.function.__globals__, name) for edit in edits for name in edit.names
             if name not in edit.function.__globals__]
    try:
        for edit in edits:
            edit.function.__globals__.update(edit.names)
        for file, mine in by_file.items():
            text = _edited(mine)
            module = compile(text, file, "exec", dont_inherit=True)
            for edit in mine:
                edit.function.__code__ = _code(module, edit.where)
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        yield
    finally:
        for function, code in codes.values():
            function.__code__ = code
        for namespace, name in added:
            namespace.pop(name, None)
        for file, entry in lines.items():
            if entry is None:
                linecache.cache.pop(file, None)
            else:
                linecache.cache[file] = entry


def _source(function: FunctionType) -> tuple[str, list[str], tuple[int, int]]:
    """File, its lines as they are now (with the edits already made), and the function's first and last line."""
    code = function.__code__
    file = code.co_filename
    lines = linecache.getlines(file) or Path(file).read_text().splitlines(keepends=True)
    first = code.co_firstlineno
    last = max([first, *(line for _, _, line in code.co_lines() if line)])
    for constant in code.co_consts:  # nested functions
        if isinstance(constant, CodeType):
            last = max([last, *(line for _, _, line in constant.co_lines() if line)])
    return file, lines, (first, last)


def _offset(lines: list[str], first: int, last: int, edit: Edit) -> int:
    start = sum(map(len, lines[:first - 1]))
    # A closing bracket may stand on a line after the last that has code of its own.
    end = sum(map(len, lines[:last + 1]))
    body = "".join(lines)[start:end]
    if body.count(edit.old) != 1:
        raise EditError(f"{edit.where}: expected {edit.old!r} exactly once, found it {body.count(edit.old)} times")
    return start + body.index(edit.old)


def _edited(edits: list[Edit]) -> str:
    """The file's text with all edits made."""
    _, lines, _ = _source(edits[0].function)
    text = "".join(lines)
    for edit in edits:
        _, _, (first, last) = _source(edit.function)
        offset = _offset(text.splitlines(keepends=True), first, last, edit)
        text = text[:offset] + edit.new + text[offset + len(edit.old):]
    return text


def _code(module: CodeType, where: str) -> CodeType:
    """The code object of "...:Class.method" inside a compiled module."""
    found = module
    for name in where.partition(":")[2].split("."):
        found = next((c for c in found.co_consts if isinstance(c, CodeType) and c.co_name == name), None)
        if found is None:
            raise EditError(f"{where}: {name!r} vanished from the edited source")
    return found

"""A patch: pieces of the twin's files, each with what is to stand there instead."""

from __future__ import annotations

import ast
import builtins
import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from parity.files import InputError, write
from parity.trace.source import relative


@dataclass(frozen=True, order=True)
class Change:
    """In `file`, the characters from `start` to `end` become `new`. why: in a few words."""

    file: str
    start: int
    end: int
    new: str
    why: str = field(default="", compare=False)

    def overlaps(self, other: Change) -> bool:
        return self.file == other.file and self.start < other.end and other.start < self.end


class Source:
    """A file's text, and the places of its syntax in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.tree = ast.parse(text)
        self._lines = [line + "\n" for line in text.split("\n")]  # as Python counts lines; `splitlines` knows other ends
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node's text begins and ends, in characters (the syntax tree counts bytes)."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def segment(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def indent(self, node: ast.AST) -> str:
        return self._lines[node.lineno - 1][:node.col_offset]

    def whole_lines(self, node: ast.stmt) -> tuple[int, int]:
        return self._starts[node.lineno - 1], self._starts[node.end_lineno]

    def shares_line(self, statement: ast.stmt, siblings: list[ast.stmt]) -> bool:
        """Whether it stands on one line with its neighbours, between semicolons."""
        place = siblings.index(statement)
        return any(one.lineno == statement.end_lineno for one in siblings[place + 1:place + 2]) or any(
            one.end_lineno == statement.lineno for one in siblings[max(place - 1, 0):place])

    def with_semicolon(self, statement: ast.stmt, siblings: list[ast.stmt]) -> tuple[int, int]:
        """Where a statement that shares its line stands, with the semicolon that parts it from a neighbour."""
        place = siblings.index(statement)
        if place and siblings[place - 1].end_lineno == statement.lineno:
            return self.span(siblings[place - 1])[1], self.span(statement)[1]
        return self.span(statement)[0], self.span(siblings[place + 1])[0]

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def imports(self) -> dict[str, str]:
        """Name in the file -> the dotted name that it was imported under."""
        known = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    known[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        return known

    @cached_property
    def bound(self) -> dict[str, tuple[str, int]]:
        """All names that an import binds, of the user's own modules too -> the dotted name, and how many dots stand before it."""
        names = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                head = f"{node.module}." if node.module else ""
                names |= {one.asname or one.name: (head + one.name, node.level) for one in node.names if one.name != "*"}
            elif isinstance(node, ast.Import):
                names |= {one.asname or one.name.partition(".")[0]: (one.name if one.asname else one.name.partition(".")[0], 0)
                          for one in node.names}
        return names

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that occur in the file, and those that Python has."""
        return frozenset(dir(builtins)) | self.bound.keys() | {"paddle"} | {
            node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else getattr(node, "name", "") or ""
            for node in ast.walk(self.tree)}

    @cached_property
    def definitions(self) -> dict[str, ast.AST]:
        """The functions and classes of the file."""
        kinds = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
        return {node.name: node for node in self.tree.body if isinstance(node, kinds)}

    @classmethod
    def read(cls, file: str) -> Source:
        """Raises InputError where it is no Python source that can be read."""
        try:
            return cls(file, read(file))
        except (OSError, UnicodeError, SyntaxError) as error:
            raise InputError(f"{file}: expected the source of the twin, cannot read it ({error})") from error


def read(file: str) -> str:
    """The file's text with its own line ends."""
    with open(file, encoding="utf-8", newline="") as opened:
        return opened.read()


def patched(text: str, changes: Iterable[Change]) -> str:
    """The text with all changes made; they may not overlap."""
    for change in sorted(changes, reverse=True):
        text = text[:change.start] + change.new + text[change.end:]
    return text


def line_before(line: int, text: str, changes: Iterable[Change]) -> int:
    """Of a line of the changed text: which one it is of the text, or which one it stands for."""
    shift = 0  # by the changes above it
    for change in sorted(changes):
        first = text.count("\n", 0, change.start) + 1
        removed, added = text.count("\n", change.start, change.end), change.new.count("\n")
        whole_lines = all(not piece or piece.endswith("\n") for piece in (
            text[:change.start], text[change.start:change.end], change.new))
        if line < first + shift + added + (not whole_lines):
            return min(line - shift, first + removed)
        shift += added - removed
    return line - shift


def texts(changes: Iterable[Change], originals: Mapping[str, str]) -> dict[str, str]:
    """File -> its text with the changes made, of each file that has any."""
    changes = tuple(changes)
    return {file: patched(originals[file], [change for change in changes if change.file == file])
            for file in sorted({change.file for change in changes})}


def diff(changes: Iterable[Change], originals: Mapping[str, str]) -> str:
    """As `git apply` takes it where the files are below the working directory."""
    lines: list[str] = []
    for file, text in texts(changes, originals).items():
        name = relative(file).lstrip("/")
        before, after = (whole.splitlines(keepends=True) for whole in (originals[file], text))
        for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
            lines.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(lines)


def apply(changes: Iterable[Change], originals: Mapping[str, str]) -> list[str]:
    """Write the changed files, each whole or not at all; returns their names.

    Raises InputError where one is no longer what it was.
    """
    changed = texts(changes, originals)
    for file in changed:
        if read(file) != originals[file]:
            raise InputError(f"{relative(file)}: it was changed while its fix was looked for; nothing is written, run it again")
    for file, text in changed.items():
        mode = os.stat(file).st_mode
        write(file, text)
        os.chmod(file, mode)
    return list(changed)

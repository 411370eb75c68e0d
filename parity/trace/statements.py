"""Two functions side by side: their simple statements, and which is whose partner, as far as their text tells."""

from __future__ import annotations

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

IN_TORCH = {"paddle": "torch", "axis": "dim", "Layer": "Module", "clear_grad": "zero_grad"}
"""What Paddle calls otherwise, and means the same."""


class Line(NamedTuple):
    """A simple statement, or the header of a compound one (`for`, `if`, `with`). first, last: its lines. may_rest: it stands in a
    branch, or in a loop, and need not have been run. freed: the statement behind it that is one with it (`_freeing`)."""

    node: ast.stmt
    header: tuple[ast.AST, ...]
    first: int
    last: int
    may_rest: bool = False
    freed: ast.stmt | None = None

    @property
    def inner(self) -> Iterator[ast.AST]:
        """All nodes of the text itself."""
        for part in self.header:
            yield from ast.walk(part)


class Pair(NamedTuple):
    """A statement of the reference's and its partner; None where the other side has none. before: the twin's statement that stands
    where its partner should."""

    reference: Line | None
    twin: Line | None
    before: Line | None = None


def lines_of(function: ast.AST) -> list[Line]:
    """The statements of a function, in the order of their lines, without those of functions and classes inside of it."""
    found, pending = [], [(node, False) for node in function.body]
    freeing: dict[ast.AST, ast.AST] = _freeing(function.body)
    while pending:
        node, may_rest = pending.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node in freeing.values():
            continue
        blocks = [block for name in ("body", "orelse", "finalbody") for block in getattr(node, name, [])]
        branches = [*getattr(node, "handlers", []), *getattr(node, "cases", [])]
        for branch in branches:
            blocks += branch.body
        pending += [(block, may_rest or not isinstance(node, (ast.With, ast.AsyncWith))) for block in blocks]
        freeing |= _freeing(blocks)
        header = tuple(child for child in ast.iter_child_nodes(node)
                       if child not in blocks and child not in branches) if blocks else (node,)
        last = max((n.end_lineno for part in header for n in ast.walk(part) if hasattr(n, "end_lineno")),
                   default=node.lineno) if blocks else freeing.get(node, node).end_lineno
        found.append(Line(node, header, node.lineno, last, may_rest, freeing.get(node)))
    return sorted(found, key=lambda line: (line.first, line.last))


def _freeing(block: Sequence[ast.AST]) -> dict[ast.AST, ast.AST]:
    """Statements of a block that make a leaf, each with the one right behind it that lets gradients come back to it
    (`x = y.detach()`, `x.stop_gradient = False`): they are one, as `x = y.detach().requires_grad_()` is."""
    return {made: freed for made, freed in itertools.pairwise(block)
            if isinstance(made, ast.Assign) and any(name_of(target) is not None and name_of(target) == _freed(freed)
                                                    for target in made.targets)}


def _freed(node: ast.AST) -> str | None:
    """The name in `x.stop_gradient = False`, `x.requires_grad = True` and `x.requires_grad_()`."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
        says = ("stop_gradient", False), ("requires_grad", True)
        frees = isinstance(node.value, ast.Constant) and (node.targets[0].attr, node.value.value) in says
        return name_of(node.targets[0].value) if frees else None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        return name_of(node.value.func.value) if node.value.func.attr == "requires_grad_" else None
    return None


def name_of(node: ast.AST) -> str | None:
    """The name that a piece of code is; None where it is more than that."""
    return node.id if isinstance(node, ast.Name) else None


def side_by_side(ours: list[Line], theirs: list[Line]) -> Iterator[Pair]:
    """The statements of two functions, of the reference and of the twin, as partners: those that say the same first, then those
    between them that bind the same names, then, where as many are left on both sides, one by one."""
    said = [[plain(line) for line in side] for side in (ours, theirs)]
    for change, i, j, m, n in SequenceMatcher(None, *said, autojunk=False).get_opcodes():
        if change == "equal":
            yield from (Pair(one, other) for one, other in zip(ours[i:j], theirs[m:n], strict=True))
        else:
            yield from _between(ours[i:j], theirs[m:n], theirs[n] if n < len(theirs) else theirs[-1] if theirs else None)


def _between(ours: list[Line], theirs: list[Line], after: Line | None) -> Iterator[Pair]:
    bound = [[_bound(line) for line in side] for side in (ours, theirs)]
    if len(ours) == len(theirs):
        yield from (Pair(one, other) for one, other in zip(ours, theirs, strict=True))
        return
    for change, i, j, m, n in SequenceMatcher(None, *bound, autojunk=False).get_opcodes():
        if change == "equal" or j - i == n - m:
            yield from (Pair(one, other) for one, other in zip(ours[i:j], theirs[m:n], strict=True))
            continue
        beside = theirs[m] if m < len(theirs) else after
        yield from (Pair(one, None, beside) for one in ours[i:j])
        yield from (Pair(None, other) for other in theirs[m:n])


def _bound(line: Line) -> tuple[str, ...]:
    return type(line.node).__name__, *(node.id for node in line.inner if isinstance(node, ast.Name)
                                       and isinstance(node.ctx, ast.Store))


def plain(line: Line) -> str:
    """A statement's text in torch's words."""
    return " ".join(text(part) for part in line.header)


def text(node: ast.AST) -> str:
    """The text of a piece of code in torch's words."""
    node = copy.deepcopy(node)
    for inner in ast.walk(node):
        for field in ("id", "attr", "arg"):
            if (name := getattr(inner, field, None)) in IN_TORCH:
                setattr(inner, field, IN_TORCH[name])
    return ast.unparse(node)


def tokens(nodes: Iterator[ast.AST]) -> Counter[str]:
    """The numbers, the operators and the slices of a piece of code; names may be others, and truths are said of other things
    (`requires_grad = False`, `stop_gradient = True`)."""
    found = Counter()
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, complex)) and not isinstance(node.value, bool):
            found[repr(node.value)] += 1
        elif isinstance(node, (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.Slice)):
            found[type(node).__name__] += 1
    return found

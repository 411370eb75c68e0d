"""The words of the way back in two programs' text: `detach`, `no_grad`, `stop_gradient`, a hook, a derivative of one's own; and
where two functions do not say the same of it.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from parity.trace.source import Site, parsed
from parity.trace.statements import Line, lines_of, side_by_side, text, tokens

CUTS = frozenset({"cut", "region", "frozen"})  # kinds of words that end a graph
_CUT = frozenset({"detach", "detach_", "numpy", "item", "tolist"})
_REGIONS = frozenset({"no_grad", "inference_mode", "enable_grad", "set_grad_enabled"})
_HOOKS = frozenset({"register_hook", "register_full_backward_hook"})
_SWITCHES = {"requires_grad": True, "stop_gradient": False, "trainable": True}  # which truth of it says that something is trained

OTHER_WORDS, ELSEWHERE, OTHER_NUMBERS, OTHER_FUNCTION = range(4)


class Place(NamedTuple):
    """Two statements that say different things. rank: `OTHER_WORDS` where one side has more of them than the other, `ELSEWHERE`
    where they are said of something else, `OTHER_NUMBERS` where the numbers and operators beside them are others, `OTHER_FUNCTION`
    where those of a derivative of one's own are. lacking: kinds of words that the twin has not; more: those that it alone has."""

    rank: int
    reference: Site | None
    twin: Site | None
    lacking: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()


def places(file: str, reference: list[Line], other: str, twin: list[Line]) -> Iterator[Place]:
    """Where the lines of two functions, of these files, say different things of the way back."""
    for ours, theirs, before in side_by_side(reference, twin):
        here, there = (_words(line, where) if line is not None else Counter() for line, where in ((ours, file), (theirs, other)))
        site = Site(file, ours.first) if ours is not None else None
        line = theirs or before
        beside = Site(other, line.first) if line is not None else None
        kinds = [Counter(kind for kind, _ in side.elements()) for side in (here, there)]
        if kinds[0] != kinds[1]:
            yield Place(OTHER_WORDS, site, beside, frozenset(kinds[0] - kinds[1]), frozenset(kinds[1] - kinds[0]))
        elif here != there:
            yield Place(ELSEWHERE, site, beside)
        elif here and tokens(ours.inner) != tokens(theirs.inner):
            yield Place(OTHER_NUMBERS, site, beside)
        if here and there:
            yield from _own_derivatives(file, ours, other, theirs)


def switches(file: str, reference: list[Line], other: str, twin: list[Line]) -> Iterator[Place]:
    """The statements that freeze something, or say that it is trained, in two functions; those that differ first."""
    said = list(places(file, reference, other, twin))
    yield from (place for place in said if (place.lacking | place.more) & {"frozen", "trained"})
    for ours, theirs, _ in side_by_side(reference, twin):
        if ours is not None and theirs is not None and {"frozen", "trained"} & {kind for kind, _ in _words(theirs, other)}:
            yield Place(OTHER_NUMBERS, Site(file, ours.first), Site(other, theirs.first))


def _own_derivatives(file: str, ours: Line, other: str, theirs: Line) -> Iterator[Place]:
    """Where the functions differ that two lines name for their way back: `backward` of a class of one's own, a hook."""
    for one, twin in zip(_named(file, ours), _named(other, theirs), strict=False):
        for mine, its, before in side_by_side(lines_of(one), lines_of(twin)):
            line = its or before
            if line is not None and (mine is None or its is None or tokens(mine.inner) != tokens(its.inner)):
                yield Place(OTHER_FUNCTION, Site(file, mine.first) if mine is not None else None, Site(other, line.first))


def _named(file: str, line: Line) -> Iterator[ast.AST]:
    """The functions of a file that a line names for its way back."""
    tree = parsed(file)
    names = {node.id for node in line.inner if isinstance(node, ast.Name)} | {
        node.attr for node in line.inner if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ClassDef) and node.name in names:
            yield from (one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "backward")
        elif isinstance(node, ast.FunctionDef) and node.name in names and any(kind == "hook" for kind, _ in _words(line, file)):
            yield node


def _words(line: Line, file: str) -> Counter[tuple[str, str]]:
    """(kind, what it is said of) of the words of the way back in a statement of a file."""
    found = Counter()

    def switch(is_trained: bool) -> None:
        found["trained" if is_trained else "frozen", ""] += 1

    for node in (*line.inner, *(ast.walk(line.freed) if line.freed is not None else ())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _REGIONS or name in _without_gradients(file):
                found["region", name] += 1
            elif name in _HOOKS:
                found["hook", ", ".join(map(text, node.args))] += 1
            elif name in _CUT and isinstance(node.func, ast.Attribute):
                found["cut", _base(node.func.value)] = 1  # x.detach().cpu().numpy() is one
            elif name == "apply" and isinstance(node.func, ast.Attribute):
                found["own", ""] += 1
            elif name == "requires_grad_":
                switch(bool(_truth(node.args[0] if node.args else ast.Constant(True))))
            for word in node.keywords:
                if word.arg == "create_graph" and _truth(word.value):
                    found["graph", ""] += 1
                elif word.arg in _SWITCHES:
                    switch(_truth(word.value) is _SWITCHES[word.arg])
        elif isinstance(node, ast.Attribute) and node.attr == "data" and isinstance(node.ctx, ast.Load):
            found["cut", _base(node.value)] = 1
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in _SWITCHES:
                    switch(_truth(node.value) is _SWITCHES[target.attr])
    return found


def _base(node: ast.AST) -> str:
    """What a chain of calls that cut is made of: `x` of `x.detach().cpu()`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {*_CUT, "cpu"}:
        node = node.func.value
    return re.sub(r"\s", "", text(node))


def _truth(node: ast.AST) -> bool | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


def _without_gradients(file: str) -> frozenset[str]:
    """The functions of a file that a decorator says go on without gradients."""
    tree = parsed(file)
    return _decorated(tree) if tree is not None else frozenset()


@functools.lru_cache(maxsize=64)
def _decorated(tree: ast.Module) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and any(
        isinstance(inner, ast.Attribute) and inner.attr in ("no_grad", "inference_mode")
        for decorator in node.decorator_list for inner in ast.walk(decorator)))

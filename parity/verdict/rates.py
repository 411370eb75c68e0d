"""Where two programs set a learning rate otherwise: the line that says another number.

A schedule is built in one place and stepped in another, and the two frameworks divide its words between optimizer and scheduler in
other ways (`SGD(lr=0.2)`, `StepLR(optimizer, 2)` here, `StepDecay(0.2, 2)`, `SGD(schedule)` there). But the numbers of all lines
that speak of the rate, taken together, are the same in a right port. One that the twin alone has names its line. This makes no
verdict: it places what has been found.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from parity.messages import say
from parity.trace.source import Site, function_around, is_own, parsed
from parity.trace.statements import Line, lines_of, plain, tokens
from parity.verdict.findings import Finding, first_diverged
from parity.verdict.sinks import Against, Store

_WORDS = re.compile(r"(?<![a-z])lr|learning_?rate|schedul|warm_?up|decay(?!=)", re.IGNORECASE)


def rated(found: list[Finding], truth: Store, against: Against) -> list[Finding]:
    """The findings; the first divergence, if it is that of a learning rate, at the one line of the twin's that says otherwise what
    the rate is, or the reference's whose like the twin lacks."""
    first = first_diverged(found)
    if first is None or first.key.stage not in ("update", "state") or first.key.variable.rpartition(".")[2] != "lr":
        return found
    ours = dict(_speaking(site for event in truth.events.values() for site in (event.site, event.called)))
    theirs = dict(_speaking(site for event, _ in against.matched.values() for site in (event.site, event.called)))
    said = [Counter(token for line in side.values() for token in tokens(line.inner)) for side in (ours, theirs)]
    more, lacking = said[1] - said[0], said[0] - said[1]
    here, there = _with(lacking, ours, theirs), _with(more, theirs, ours)
    if len(there) != 1:
        return found
    reference = here[0] if len(here) == 1 else first.reference
    cause = say("the rate is said otherwise here")
    return [replace(f, reference=reference, twin=there[0], cause=f.cause or cause) if f is first else f for f in found]


def _with(numbers: Counter[str], lines: dict[Site, Line], others: dict[Site, Line]) -> list[Site]:
    """The lines that have all these numbers, and that the other side has not as they are."""
    known = {plain(line) for line in others.values()}
    return [site for site, line in lines.items() if numbers and numbers <= tokens(line.inner) and plain(line) not in known]


def _speaking(sites: Iterator[Site | None]) -> Iterator[tuple[Site, Line]]:
    """The lines that speak of a learning rate, and those that write what such a line reads of its object: of the functions around
    these places, and of the constructors of their classes, or the functions that they were made in."""
    functions = {id(function): (site.file, function) for site in filter(None, dict.fromkeys(sites))
                 if (function := function_around(site)) is not None}
    for file, function in list(functions.values()):
        functions.update((id(one), (file, one)) for one in _makers(file, function))
    lines = {Site(file, line.first): line for file, function in functions.values() for line in lines_of(function)}
    chosen = {site: line for site, line in lines.items() if _WORDS.search(plain(line))}
    read = {node.attr for line in chosen.values() for node in line.inner if is_own(node) and isinstance(node.ctx, ast.Load)}
    for site, line in lines.items():
        if site in chosen or any(is_own(node) and isinstance(node.ctx, ast.Store) and node.attr in read for node in line.inner):
            yield site, line


def _makers(file: str, function: ast.AST) -> Iterator[ast.AST]:
    """The constructor of the class that a function is of; the functions around it."""
    tree = parsed(file)
    for node in ast.walk(tree) if tree is not None else ():
        inside = node is not function and hasattr(node, "lineno") and node.lineno <= function.lineno <= node.end_lineno
        if inside and isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
        elif inside and isinstance(node, ast.FunctionDef):
            yield node

"""A layer that the reference calls and the twin never does, though the twin's lines name it: under a condition that does not hold,
or for its weights alone. Where a divergence shows behind it, that line is its place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from parity.messages import say
from parity.trace.events import Key
from parity.trace.source import Site, function_around, is_own
from parity.verdict.findings import Finding, Order, first_diverged
from parity.verdict.settings import Settings
from parity.verdict.sinks import Against, Store


def named(found: list[Finding], truth: Store, against: Against, settings: Settings) -> list[Finding]:
    """The findings with the first divergence at such a line, if there is one."""
    first = first_diverged(found)
    if first is None or first.twin is None or first.key.stage != "forward":
        return found
    for path in _uncalled(first, truth, against):
        owner, function = settings.owner(first.twin, first.key.module), function_around(first.twin)
        if owner is None or function is None or path not in settings.modules():
            continue
        around, layer = settings.modules()[owner][1], settings.modules()[path][1]
        names = {node.attr for node in ast.walk(function) if is_own(node) and getattr(around, node.attr, None) is layer}
        line = _condition(function, names) or _weight(function, names)
        if line is not None:
            cause = say("the reference calls {module} here, the twin has it in this line and does not call it", module=path)
            site = Site(first.twin.file, line)
            return [replace(f, twin=site, cause=f.cause or cause) if f is first else f for f in found]
    return found


def _uncalled(first: Finding, truth: Store, against: Against) -> Iterator[str]:
    """The modules that the reference has called behind the last value that both have, up to the first that diverges, and that the
    twin does not call at all; but for those that return what they were given, as dropout in eval mode."""
    called = {key.module for key in (*against.matched, *(event.key for event, _ in against.extra)) if _is_border(key)}
    paths = []
    for event in reversed(truth.in_order()):
        if Order(event.order) > first.order or event.key.stage == "gradients":
            continue
        if _is_border(event.key) and event.key.module not in called:
            paths.append(event.key.module)
        elif event.key in against.matched and event.key != first.key:
            break
    yield from (path for path in dict.fromkeys(paths) if _changes_something(path, truth))


def _changes_something(path: str, truth: Store) -> bool:
    border = [event for event in truth.events.values() if event.key.module == path and _is_border(event.key)]
    given, returned = ([event.array for event in border if event.key.variable.startswith(kind)] for kind in ("input", "output"))
    return not all(any(_is_the_same(one, other) for other in given) for one in returned)


def _is_the_same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is not None and other is not None and np.array_equal(one, other)


def _is_border(key: Key) -> bool:
    return key.stage != "gradients" and not key.is_local and key.variable.startswith(("input", "output"))


def _condition(function: ast.AST, names: set[str]) -> int | None:
    """The line of the innermost `if` that calls one of these, where nothing calls them elsewhere."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and is_own(node.func) and node.func.attr in names]
    branches = [node for node in ast.walk(function) if isinstance(node, (ast.If, ast.IfExp)) and calls
                and {*calls} <= {*ast.walk(node)}]
    return max((branch.test.lineno for branch in branches), default=None)


def _weight(function: ast.AST, names: set[str]) -> int | None:
    """The line that reads a weight of one of these."""
    return next((node.lineno for node in ast.walk(function) if isinstance(node, ast.Attribute) and is_own(node.value)
                 and node.value.attr in names), None)

"""Where two programs compute the same and go back otherwise: the line that decides on it.

A way back is not written line by line, so a gradient that differs shows at the value to which it comes back, which may be far from
the line that cut the graph. But where all values agree, what is wrong is written in the words of the way back. So of functions that
ran as each other's partners the statements with such words are held against each other (`parity.trace.graph_words`). This makes no
verdict: it places what has been found.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import replace

from parity.messages import Message, say
from parity.trace.graph_words import CUTS, ELSEWHERE, OTHER_NUMBERS, OTHER_WORDS, Place, places
from parity.trace.source import Site, function_around, statements_around
from parity.trace.statements import Line, lines_of
from parity.verdict.findings import Finding, first_diverged
from parity.verdict.flow import parameter_of
from parity.verdict.sinks import Against, Store


def placed_on_the_way_back(found: list[Finding], truth: Store, against: Against) -> list[Finding]:
    """The findings; the first divergence, if it is one of gradients, at the line that says something of the way back which its
    partner does not; else, where it has no line at all, at the only one that reads what the gradient is of."""
    first = first_diverged(found)
    if first is None or first.key.stage != "gradients":
        return found
    near, far = _functions(first, truth, against)
    for pairs in (near, far):
        said = [place for pair in pairs for place in places(*pair)]
        best = min((place.rank for place in said), default=None)
        chosen = [place for place in said if place.rank == best and place.twin is not None]
        if chosen:
            last = chosen[-1]  # the way back comes to it first
            return [replace(f, reference=last.reference or f.reference, twin=last.twin, cause=_cause(last)) if f is first else f
                    for f in found]
    if first.twin is None:
        here, there = _readers(first, truth, against)
        return [replace(f, reference=f.reference or here, twin=there) if f is first else f for f in found]
    return found


_Run = tuple[str, list[Line], str, list[Line]]  # two functions: file and lines of the reference's, of the twin's


def _functions(first: Finding, truth: Store, against: Against) -> tuple[Iterator[_Run], Iterator[_Run]]:
    """The functions that ran as partners: those of the module of the first divergence, or that call it; all others."""
    seen: dict[tuple[int, int], tuple[str, ast.AST, str, ast.AST]] = {}
    shown = [{event.site for event in events} for events in (
        truth.events.values(), [event for event, _ in (*against.matched.values(), *against.extra)])]
    near = set()
    for key, (partner, _) in against.matched.items():
        event = truth.events.get(key)
        if event is None or key.stage not in ("forward", "losses"):
            continue
        for ours, theirs in ((event.site, partner.site), (event.called, partner.called)):
            one, other = function_around(ours), function_around(theirs)
            if one is not None and other is not None:
                seen.setdefault((id(one), id(other)), (ours.file, one, theirs.file, other))
                if key.module == first.key.module:
                    near.add((id(one), id(other)))

    def run(is_near: bool) -> Iterator[_Run]:
        for ids, (file, reference, other, twin) in seen.items():
            if (ids in near) is is_near:
                yield file, list(_run(file, reference, shown[0])), other, list(_run(other, twin, shown[1]))
    return run(True), run(False)


def _run(file: str, function: ast.AST, shown: Container[Site]) -> Iterator[Line]:
    """The lines of a function without those of branches that were not taken, as far as values show it. shown: where some were
    made."""
    for line in lines_of(function):
        binds = any(isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) for node in line.inner)
        if not (line.may_rest and binds and all(Site(file, number) not in shown for number in range(line.first, line.last + 1))):
            yield line


def _cause(place: Place) -> Message:
    if place.rank == ELSEWHERE:
        return say("the graph is cut, or what comes back is changed, at another place here")
    if place.rank == OTHER_NUMBERS:
        return say("values agree here, but another share of them has a way back")
    if place.rank != OTHER_WORDS:
        return say("a derivative of the program's own is another function here")
    if "graph" in place.lacking:
        return say("the twin asks for this gradient without create_graph=True")
    if place.lacking & CUTS:
        return say("the reference cuts the graph here (detach, no_grad, stop_gradient), the twin does not")
    if place.more & CUTS:
        return say("the twin cuts the graph here (detach, no_grad, stop_gradient), the reference does not")
    return say("one side alone says something of the way back here (a hook, a derivative of its own)")


def _readers(first: Finding, truth: Store, against: Against) -> tuple[Site | None, Site | None]:
    """The only line on each side that reads a parameter of the module, of which the gradient is."""
    sites: list[Site | None] = [None, None]
    for key, (partner, _) in against.matched.items():
        if key.stage not in ("forward", "losses") or key[1:5] != first.key[1:5] or not (
                key.is_local or key.variable.startswith("output")):
            continue
        for side, site in enumerate((truth.events[key].site, partner.site)):
            statements = statements_around(site)
            name = parameter_of(first.key, statements) if statements is not None else None
            reading = [statement for statement in statements.all if name in statement.values] if name is not None else []
            if sites[side] is None and len(reading) == 1:
                sites[side] = Site(site.file, reading[0].first)
    return sites[0], sites[1]

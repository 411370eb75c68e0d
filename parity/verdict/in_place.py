"""Two places that no value of their own shows: a line that writes into what a name holds (`z[1] = 0`), of which only what is read
later tells, and the head of a loop that goes round another number of times.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from parity.messages import say
from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION, Key
from parity.trace.source import Site, function_around, statement_at
from parity.trace.statements import Line, lines_of, plain, side_by_side, tokens
from parity.verdict.findings import Finding, first_diverged
from parity.verdict.flow import local_name
from parity.verdict.sinks import Against, Store


def written(found: list[Finding], truth: Store, against: Against) -> list[Finding]:
    """The findings; the first divergence at the line that wrote into what it reads, where all that it reads was right before."""
    first = first_diverged(found)
    if first is None or first.key.stage not in ("forward", "losses") or first.reference is None or first.twin is None:
        return found
    functions = function_around(first.reference), function_around(first.twin)
    reading = statement_at(first.reference), statement_at(first.twin)
    if None in functions or None in reading:
        return found
    for name in sorted(reading[0].values & reading[1].values):
        bound = _bound(name, first, truth, against, {f.key for f in found if f.verdict is Verdict.DIVERGED})
        if bound is None:
            continue
        pairs = [pair for pair in side_by_side(*map(lines_of, functions))
                 if _is_between(pair.reference, name, bound[0], first.reference)
                 or _is_between(pair.twin, name, bound[1], first.twin)]
        odd = [pair for pair in pairs if pair.reference is None or pair.twin is None
               or tokens(pair.reference.inner) != tokens(pair.twin.inner)
               or not (_writes(pair.reference, name, first.reference.file) and _writes(pair.twin, name, first.twin.file))]
        if first.key.function != OPERATION and not odd:  # an operation's own line may be the one
            odd = pairs
        chosen = odd[0] if len(odd) == 1 else None
        line = chosen and (chosen.twin or chosen.before)
        if line:
            here = Site(first.reference.file, chosen.reference.first) if chosen.reference else first.reference
            return [replace(f, reference=here, twin=Site(first.twin.file, line.first)) if f is first else f for f in found]
    return found


def _bound(name: str, first: Finding, truth: Store, against: Against, bad: set[Key]) -> tuple[int, int] | None:
    """The lines that bound a name last before the first divergence, if what they bound is the same on both sides."""
    in_function = first.key.is_local and first.key.function != OPERATION
    events = [event for key, event in truth.events.items() if key[:5] == first.key[:5]
              and (not in_function or key[5:7] == first.key[5:7])]
    events = [event for event in events if event.key.is_local and event.key.function != OPERATION
              and local_name(event.key) == name and event.order < first.order.at and event.site is not None]
    last = max(events, key=lambda event: event.order, default=None)
    if last is None or last.key not in against.matched or last.key in bad:
        return None
    site = against.matched[last.key][0].site
    return (last.site.line, site.line) if site is not None else None


def _is_between(line: Line | None, name: str, start: int, end: Site) -> bool:
    return line is not None and start < line.first <= end.line and _writes(line, name, end.file)


def _writes(line: Line, name: str, file: str) -> bool:
    return not hasattr(line.node, "body") and name in statement_at(Site(file, line.first)).writes


def gone_round(found: list[Finding], truth: Store, against: Against) -> list[Finding]:
    """The findings; the first divergence at the head of its loop, where one side alone has this value, both had it in the rounds
    before, and the heads say different things."""
    first = first_diverged(found)
    if first is None or not first.is_lone or not (first.key.call or first.key.occurrence):
        return found
    before = first.key._replace(call=first.key.call - 1) if first.key.call else first.key._replace(
        occurrence=first.key.occurrence - 1)
    if before not in against.matched:
        return found
    partner, _ = against.matched[before]
    event = truth.events[before]
    heads = [_head(site) for site in (event.called or event.site, partner.called or partner.site)]
    if None in heads or plain(heads[0][1]) == plain(heads[1][1]):
        return found
    (ours, _), (theirs, _) = heads
    return [replace(f, reference=ours, twin=theirs, cause=say("the loop goes round another number of times")) if f is first else f
            for f in found]


def _head(site: Site | None) -> tuple[Site, Line] | None:
    """The head of the innermost loop around a line."""
    function = function_around(site)
    loops = [line for line in _loops(function) if line.first <= site.line <= line.node.end_lineno] if function is not None else []
    return (Site(site.file, loops[-1].first), loops[-1]) if loops else None


def _loops(function: ast.AST) -> Iterator[Line]:
    return (line for line in lines_of(function) if isinstance(line.node, (ast.For, ast.While)))

"""Which operation one program has between two layers and the other has not: where a divergence shows only at the next border; and
the twin's line beside what it lacks.

Operations are matched by name and order, so one that is missing leaves its neighbours without partners. But between the last
value that agrees and the first that does not, the two short sequences of operations can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from parity.messages import Message, say, together
from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION, Event
from parity.trace.source import Site, kept_at
from parity.verdict.findings import Finding, Order
from parity.verdict.sinks import Against, Store


def placed(found: list[Finding], truth: Store, against: Against) -> list[Finding]:
    """The findings with the first divergence at its operation, where one side has another one there, or more, or fewer."""
    diverged = [f for f in found if f.verdict is Verdict.DIVERGED and f.key in truth.events and f.key.stage != "gradients"]
    first = min(diverged, key=lambda finding: finding.order, default=None)
    if first is not None and first.key not in against.matched and first.twin is None and not first.key.is_local:
        return [replace(f, twin=_beside(first, truth, against)) if f is first else f for f in found]
    partner = against.matched.get(first.key) if first is not None else None
    if partner is None or (first.key.is_local and first.key.function != OPERATION):
        return found
    bad = {finding.key for finding in found if finding.verdict is not Verdict.NOISE}
    good = max((event for key, event in truth.events.items() if Order(event.order) < first.order and key not in bad
                and key in against.matched and key.stage != "gradients"), key=lambda event: event.order, default=None)
    start = (good.order, against.matched[good.key][0].order) if good is not None else (-1, -1)
    agree = against.matched.keys() - bad  # here or elsewhere: the two may do independent things in another order
    ours = _operations((event for key, event in truth.events.items() if key not in agree), start[0], first.order)
    theirs = _operations([*(event for key, (event, _) in against.matched.items() if key not in agree),
                          *(event for event, _ in against.extra)], start[1], Order(partner[0].order))
    changes = SequenceMatcher(None, [*map(_name, ours)], [*map(_name, theirs)], autojunk=False).get_opcodes()
    changed = next((where for change, *where in changes if change != "equal"), None)
    if changed is None:
        return found
    i, j, m, n = changed
    mine, others = ours[i:j], theirs[m:n]
    before = against.matched[good.key][0].site if good is not None and good.key.function == OPERATION else first.twin
    here = mine[0].site if mine else ours[i - 1].site if i else first.reference
    there = others[0].site if others else theirs[m - 1].site if m else before
    cause = together([_said(mine, say("the reference")), _said(others, say("the twin"))])
    if mine and others:  # another function: written where it is kept, if it is
        here, there = kept_at(here) or here, kept_at(there) or there
    return [replace(f, reference=here, twin=there, cause=cause) if f is first else f for f in found]


def _beside(first: Finding, truth: Store, against: Against) -> Site | None:
    """The twin's line that makes the call which lacks a value; where it makes none, the last of the caller's before it."""
    calls = [event.called for key, (event, _) in against.matched.items() if key[:5] == first.key[:5] and not key.is_local]
    if any(calls):
        return next(filter(None, calls))
    caller = first.key.module.rpartition(".")[0]
    before = [event.key for event in truth.in_order() if Order(event.order) < first.order and event.key in against.matched
              and event.key.stage == first.key.stage]
    for key in reversed(before):
        twin, _ = against.matched[key]
        if key.module == caller and key.is_local:
            return twin.site
        if key.module.rpartition(".")[0] == caller and not key.is_local:
            return twin.called
    return None


def _operations(events: Iterable[Event], start: int, end: Order) -> list[Event]:
    chosen = [event for event in events if event.key.function == OPERATION and event.key.stage != "gradients"
              and start < event.order and Order(event.order) <= end]
    return sorted(chosen, key=lambda event: event.order)


def _name(event: Event) -> str:
    return event.key.variable


def _said(events: list[Event], side: Message) -> Message:
    if not events:
        return say("{side} has no operation there", side=side)
    return say("{side} has {operations} there ({place})", side=side, operations=", ".join(map(_name, events[:3])),
               place=events[0].site)

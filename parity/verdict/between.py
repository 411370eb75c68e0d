"""Which operation one program has between two layers and the other has not: where a divergence shows only at the next border; and
the twin's line beside what it lacks.

Operations are matched by name and order, so one that is missing leaves its neighbours without partners. But between the last
value that agrees and the first that does not, the two short sequences of operations can be laid side by side.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from parity.messages import Message, say, together
from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION, Event, Key
from parity.trace.source import Site, calls_at, function_around, is_own, kept_at, statement_at
from parity.verdict.elsewhere import Elsewhere
from parity.verdict.findings import Finding, Order
from parity.verdict.prints import Print, print_of
from parity.verdict.rebound import read_wrong
from parity.verdict.sinks import Against, Store


def placed(found: list[Finding], truth: Store, against: Against, elsewhere: Elsewhere,
           kept: Callable[[str, Site | None, str], Site | None] = lambda path, site, operation: kept_at(site, operation),
           ) -> list[Finding]:
    """The findings with the first divergence at its operation, where one side has another one there, or more, or fewer; else at
    the first line behind what the two have in common, under one name or another. kept: of the path of the module around, the
    twin's line that calls what its object keeps, and the operation: the line that decided on it."""
    diverged = [f for f in found if f.verdict is Verdict.DIVERGED and f.key in truth.events and f.key.stage != "gradients"]
    first = min(diverged, key=lambda finding: finding.order, default=None)
    if first is not None and first.key not in against.matched and first.twin is None and not first.key.is_local:
        return [replace(f, twin=_beside(first, truth, against)) if f is first else f for f in found]
    partner = against.matched.get(first.key) if first is not None else None
    if partner is None:
        return found
    if (lines := read_wrong(first, truth, against, elsewhere)) is not None:
        return [replace(f, reference=lines[0], twin=lines[1]) if f is first else f for f in found]
    bound = first.key.is_local and first.key.function != OPERATION and not _is_another_name(first)  # its line made it
    agreeing = (Verdict.NOISE, Verdict.EXPLAINED)
    bad = {finding.key for finding in found if finding.verdict not in agreeing and not finding.is_reshaped}
    if _is_given(first.key):  # what else the call is given tells nothing of where this was made
        bad |= {key for key in truth.events if _is_beside(key, first.key)}
    good = max((event for key, event in truth.events.items() if Order(event.order) < first.order and key not in bad
                and key in against.matched and key.stage != "gradients"), key=lambda event: event.order, default=None)
    before = (good.order, against.matched[good.key][0].order) if good is not None else (-1, -1)
    agree = against.matched.keys() - bad  # here or elsewhere: the two may do independent things in another order
    ours = _behind(before[0], first.order, first.key, truth.events.values(), elsewhere.in_twin, agree)
    theirs = _behind(before[1], Order(partner[0].order), first.key,
                     [event for event, _ in (*against.matched.values(), *against.extra)], elsewhere.in_reference, agree)
    known = (good, against.matched[good.key][0]) if good is not None else (None, None)
    mine, others = (_operations(behind, side, against) for behind, side in zip(known, (ours, theirs), strict=True))
    changes = SequenceMatcher(None, [*map(_name, mine)], [*map(_name, others)], autojunk=False).get_opcodes()
    changed = next((where for change, *where in changes if change != "equal"), None)
    if bound and (changed is None or not _leads_elsewhere(first, mine[slice(*changed[:2])], others[slice(*changed[2:])])):
        return found
    if changed is None:
        here, there = (next((event.site for event in side if event.key.is_local), None) for side in (ours, theirs))
        there = there or _made_at(first, range(before[1] + 1, partner[0].order), against)
        there = there or (_behind_which(first, good and against.matched[good.key][0]) if here else None)
        return [replace(f, reference=here or f.reference, twin=there) if f is first and there else f for f in found]
    i, j, m, n = changed
    last = _behind_which(first, good and against.matched[good.key][0])
    here = mine[i].site if i < j else mine[i - 1].site if i else first.reference
    there = others[m].site if m < n else others[m - 1].site if m else last
    if m == n and here == first.reference:
        there = first.twin  # what is lacking stands in the line of the value itself
    cause = together([_said(mine[i:j], say("the reference")), _said(others[m:n], say("the twin"))])
    if i < j and m < n:  # another function: written where it is kept, if it is
        here, there = kept_at(here, _name(mine[i])) or here, kept(first.key.module, there, _name(others[m])) or there
    return [replace(f, reference=here, twin=there, cause=cause) if f is first else f for f in found]


def _is_another_name(first: Finding) -> bool:
    """Whether the twin's line gives a value that it has made before another name, and does nothing else."""
    statement = statement_at(first.twin)
    return statement is not None and statement.is_name


def _made_at(first: Finding, orders: range, against: Against) -> Site | None:
    """The first line, of these places in the twin's order, at which the twin has the value that went wrong, under whatever name."""
    mark = against.first.get(first.key)
    made = [event for event, _ in against.extra if event.order in orders and event.key.is_local and mark is not None
            and (other := against.prints.get(event.key)) is not None and other.shape == mark.shape and mark.alike(other)]
    return min(made, key=lambda event: event.order).site if made else None


def _behind_which(first: Finding, good: Event | None) -> Site | None:
    """The line of the last good value where the twin lacks an operation: an operation's, or one of the same function; else that of
    the first divergence."""
    if _is_given(first.key) and _makes_something(first.twin):
        return first.twin  # it lies in the very line that hands it over
    if good is None or (good.key.function != OPERATION and not (
            good.key.is_local and first.twin is not None and function_around(good.site) is function_around(first.twin))):
        return first.twin
    return good.site


def _makes_something(site: Site | None) -> bool:
    """Whether a line does more with what it reads than to hand it on (`self.norm(x[:, 0])`), and hands nothing on as it is."""
    statement = statement_at(site)
    if statement is None or statement.values - {"self"} <= {name for _, name in statement.handed}:
        return False
    return not any(is_own(call.func) and any(isinstance(given, ast.Name) for given in call.args) for call in calls_at(site))


def _leads_elsewhere(first: Finding, ours: list[Event], theirs: list[Event]) -> bool:
    """Whether the operations that the twin has in the place of others are none of the line that went wrong, but of what it calls,
    or of what nobody could compare before it; or whether they are of a function or a layer that its object keeps."""
    sites = [event.site for event in theirs]
    statement = statement_at(first.twin)
    if statement is None or not sites or None in sites:
        return False
    outside = all(site.file != first.twin.file or not statement.first <= site.line <= statement.last for site in sites)
    return outside or (bool(ours) and kept_at(sites[0], _name(theirs[0])) is not None)


def _behind(start: int, end: Order, key: Key, events: Iterable[Event], has: Callable[[Key], bool],
            agree: Container[Key]) -> list[Event]:
    """What a side computes, in order, behind the last value that the other side has as well, and that is not the same there by its
    name; start: where that is known to be at the earliest. end, key: of the first divergence."""
    stretch = [event for event in sorted(events, key=lambda event: event.order)
               if start < event.order and Order(event.order) <= end and event.key.stage != "gradients"
               and not (_is_given(key) and _is_beside(event.key, key))]
    last = max((event.order for event in stretch if event.key != key and has(event.key)), default=start)
    return [event for event in stretch if last < event.order and event.key not in agree]


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


def _operations(before: Event | None, events: list[Event], against: Against) -> list[Event]:
    """Those that change anything: what dropout returns in eval mode is what it is given. before: the value that they go on with."""
    seen: list[Print] = []
    found = []
    for event in ([before] if before is not None else []) + events:
        mark = print_of(event.array) or against.prints.get(event.key)
        known = mark is not None and any(mark.shape == one.shape and mark.alike(one) for one in seen)
        if event is not before and event.key.function == OPERATION and not known:
            found.append(event)
        seen += [mark] if mark else []
    return found


def _is_beside(key: Key, given: Key) -> bool:
    """Whether a value is another one that the same call is given."""
    return key != given and key[:5] == given[:5] and _is_given(key)


def _is_given(key: Key) -> bool:
    """Whether it is an input of a module's call."""
    return not key.is_local and key.variable.startswith("input")


def _name(event: Event) -> str:
    return event.key.variable


def _said(events: list[Event], side: Message) -> Message:
    if not events:
        return say("{side} has no operation there", side=side)
    return say("{side} has {operations} there ({place})", side=side, operations=", ".join(map(_name, events[:3])),
               place=events[0].site)

"""Names that are bound more often on one side than on the other, whose values nobody compares: where the line that went wrong reads
one on both sides, and its last values are not the same, the mistake is where that was made.
"""

from __future__ import annotations

from collections.abc import Iterable

from parity.trace.events import OPERATION, Event, Key
from parity.trace.source import Site, statement_at
from parity.verdict.elsewhere import Elsewhere
from parity.verdict.findings import Finding
from parity.verdict.prints import print_of
from parity.verdict.sinks import Against, Store

_STEPS = 6  # lines back, at most


def read_wrong(first: Finding, truth: Store, against: Against, elsewhere: Elsewhere) -> tuple[Site, Site] | None:
    """The two lines that made what the line of a local reads wrong: a value of one name and shape that was bound more often on one
    side, so that nobody compared it, and that the reference has nowhere; and what that line in turn reads."""
    if not first.key.is_local or first.key.function == OPERATION or first.key.stage == "gradients":
        return None
    theirs = [event for event, _ in (*against.matched.values(), *against.extra)]
    found, sites, ends = None, (first.reference, first.twin), (first.order.at, against.matched[first.key][0].order)
    for _ in range(_STEPS):
        lines = [statement_at(site) for site in sites]
        names = lines[0].values & lines[1].values if None not in lines else ()
        pairs = [(_bound_last(name, first.key, truth.events.values(), ends[0]), _bound_last(name, first.key, theirs, ends[1]))
                 for name in names]
        wrong = [(ours, other) for ours, other in pairs if ours is not None and other is not None and ours.key != other.key
                 and _is_other(ours, other, against, elsewhere)]
        if not wrong:
            break
        ours, other = min(wrong, key=lambda pair: pair[1].order)
        mark = against.prints[other.key]
        made = min((event for event in theirs if _is_of_the_call(event.key, first.key)
                    and (known := against.prints.get(event.key)) is not None and known.shape == mark.shape and known.alike(mark)),
                   key=lambda event: event.order)
        found = ours.site, made.site
        sites, ends = (ours.site, other.site), (ours.order, other.order)
    return found


def _is_of_the_call(key: Key, local: Key) -> bool:
    """Whether it is a local of the module call that another is of, or of one inside."""
    return key.is_local and key[:3] == local[:3] and (key[:5] == local[:5] or key.is_inside(local.module))


def _bound_last(name: str, key: Key, events: Iterable[Event], end: int) -> Event | None:
    """The last value, before that place in the order, of a local of the run of a function that a key is of."""
    return max((event for event in events if event.key[:7] == key[:7] and event.key.variable == name and event.order < end),
               key=lambda event: event.order, default=None)


def _is_other(ours: Event, other: Event, against: Against, elsewhere: Elsewhere) -> bool:
    """Whether two values of one shape are not the same: the same numbers at other places, or such as the reference has nowhere."""
    mark, known = print_of(ours.array), against.prints.get(other.key)
    if mark is None or known is None or mark.shape != known.shape or mark.alike(known):
        return False
    return mark.same_numbers(known) or not elsewhere.in_reference(other.key)

"""Which value follows from which, inside of a function, as far as its lines tell by the names that they read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION, Event, Key
from parity.trace.source import Site, Statement, statements_around
from parity.verdict.findings import Finding
from parity.verdict.sinks import Against, Store


class Flow:
    """found: what is not the same, of one run of the twin, in execution order."""

    def __init__(self, found: Iterable[Finding], truth: Store, against: Against) -> None:
        self._found = {finding.key: finding for finding in found}
        self._against = against
        self._around = functools.cache(statements_around)
        self._truth = truth

    @functools.cached_property
    def _events(self) -> list[Event]:
        return [event for event in self._truth.in_order() if event.key.stage != "gradients" and event.key.function != OPERATION]

    def spoils(self, finding: Finding) -> bool:
        """Whether what follows from a local diverges: the first values with a verdict that are made of it, none of which agrees.

        A value that cannot be compared is no verdict: what follows from that one is asked.
        """
        statements = self._around(finding.reference)
        if statements is None:
            return False
        made, spoilt = {_name(finding.key)}, False
        for event in self._events:
            site = _site_in(event, finding.key)
            if event.order <= finding.order or site is None or self._around(site) is not statements:
                continue
            statement = statements.at(site.line)
            if statement is None or not made & statement.reads:
                if statement is not None and statement.first != finding.reference.line:
                    made.difference_update(statement.binds)
                continue
            other = self._found.get(event.key)
            if event.key in self._against.matched and (other is None or other.verdict is Verdict.NOISE):
                return False
            if event.key.is_local and (other is None or other.verdict is not Verdict.DIVERGED or other.of_another_shape):
                made.add(_name(event.key))
            else:
                spoilt = spoilt or (other is not None and other.verdict is Verdict.DIVERGED)
        return spoilt

    def starts_anew(self, finding: Finding) -> bool:
        """Whether a local diverges although all that its line reads agrees: it is a mistake of its own, whatever came before."""
        key = finding.key
        if not key.is_local or key.function == OPERATION or key.stage == "gradients" or finding.verdict is not Verdict.DIVERGED:
            return False
        earlier = [other for other in self._found.values() if other.order < finding.order and other.key[:5] == key[:5]
                   and other.key.function not in ("", OPERATION) and other.verdict is not Verdict.NOISE]
        here = [other for other in earlier if other.key[5:7] == key[5:7]]
        if any(other.verdict is Verdict.DIVERGED and other not in here for other in earlier):
            return False  # in a function that was called, perhaps by this line
        return all(self._reads_right(side(finding), here, side, key) for side in (_reference, _twin))

    def _reads_right(self, site: Site | None, earlier: list[Finding], side: object, key: Key) -> bool:
        statements = self._around(site)
        statement = statements.at(site.line) if statements is not None else None
        if statement is None:
            return False
        reads = statement.reads & statements.names
        wrong = {_name(other.key) for other in earlier}
        written = {name for other in statements.all if other.first < statement.first for name in other.writes}
        seen = {_name(other) for other in self._against.matched if other[:3] == key[:3] and other.module == key.module}
        blind = {name for name in reads if name not in seen | statements.arguments} | statement.own
        lines = [statements.at(side(other).line) for other in earlier if other.verdict is Verdict.DIVERGED and side(other)]
        return not reads & (wrong | written) and not any(_shares(line, blind) for line in lines)


def _shares(statement: Statement | None, names: set[str]) -> bool:
    """Whether a line that went wrong reads one of these as well, which nobody compared: the mistake may be there."""
    return statement is not None and bool(names & (statement.reads | statement.own))


def _reference(finding: Finding) -> Site | None:
    return finding.reference


def _twin(finding: Finding) -> Site | None:
    return finding.twin


def _site_in(event: Event, key: Key) -> Site | None:
    """The line of a module call's own function that an event belongs to: of an inner module's input, the line that calls it."""
    if event.key[:3] != key[:3]:
        return None
    if event.key[:5] == key[:5]:
        same = event.key.function == key.function and event.key.frame == key.frame
        result = key.function == "forward" and not event.key.is_local and event.key.variable.startswith("output")
        return event.site if same or result else None
    inside = event.key.module.startswith(f"{key.module}." if key.module else "")
    return event.called if inside and not event.key.is_local and event.key.variable.startswith("input") else None


def _name(key: Key) -> str:
    """The local that a value is bound to, itself or as a part of it."""
    return re.match(r"(?:argument )?(\w*)", key.variable)[1]

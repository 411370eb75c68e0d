"""Which value follows from which, inside of a function, as far as its lines tell by the names that they read."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator

from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION, Event, Key
from parity.trace.source import Site, Statement, Statements, returned_part, statements_around
from parity.verdict.findings import Finding, Order
from parity.verdict.sinks import Against, Store


class Flow:
    """found: what is not the same, of one run of the twin, in execution order. passed: whether an argument that one side alone
    hands to a module is none to speak of."""

    def __init__(self, found: Iterable[Finding], truth: Store, against: Against,
                 passed: Callable[[Key], bool] = lambda key: False) -> None:
        self._passed = passed
        self._found = {finding.key: finding for finding in found}
        self._against = against
        self._around = functools.cache(statements_around)
        self._truth = truth
        self._of_modules: dict[tuple, list[tuple[Event, int]]] = {}

    def spoils(self, finding: Finding) -> bool:
        """Whether what follows from a local diverges, and nothing of it agrees."""
        answers = set(self._what_follows(finding))
        return answers == {False}

    def is_undone(self, finding: Finding) -> bool:
        """Whether what follows from a local agrees, all of it: another order of the terms of a sum."""
        answers = set(self._what_follows(finding))
        return answers == {True}

    def _what_follows(self, finding: Finding) -> Iterator[bool]:
        """Of the first values with a verdict that are made of a local or an operation, whether each agrees.

        A value that cannot be compared is no verdict: what follows from that one is asked. Nor is one that diverges where its line
        reads something else that is wrong.
        """
        key, site = finding.key, finding.reference
        if key.variable.startswith("argument "):  # read by the lines of the function that it is given to, from the first
            site = self._begins_at.get(key[:7], site)
        statements = self._around(site)
        start = statements.at(site.line) if statements is not None else None
        if start is None:
            return
        made = {local_name(key)} if key.function != OPERATION else set()
        answered = set()  # lines: what else one shows is made of its first value; of what one returns, each part
        wrong = Wrong(parameter for other in self._diverged_in.get(key[:5], ())
                      if (parameter := parameter_of(other, statements)) is not None)
        end = self._ends.get(key[:5], 0)
        events = [one for one in self._events_of(key[:4], statements) if one[0].order <= end]
        unsound = {statements.at(line) for event, line in events if is_given(event.key, key) and not self._passed(event.key)
                   and (self._diverged(event.key) or event.key not in self._against.matched)}
        for event, line in events:
            statement = statements.at(line)
            if statement is None or self._passed(event.key):
                continue
            before = frozenset(wrong.names)
            if event.key[:7] == key[:7] or (event.key.is_inside(key.module) and not event.key.is_local):
                wrong.see(event.key, statement, self._diverged(event.key), self._agrees(event.key))
            if Order(event.order) <= finding.order or not _belongs(event.key, key):
                continue
            reads, place = statement.values & statements.names - {"self"}, statement.first
            if (part := self._part(event, line)) is not None:
                reads, place = reads & part, (statement.first, part)
            bound = key.function == OPERATION and statement is start and event.key.is_local and local_name(event.key) in start.binds
            if place in answered or (not bound and not made & reads):
                if statement is not start:
                    made.difference_update(statement.binds)
                continue
            agrees, diverged = self._agrees(event.key), self._diverged(event.key)
            if event.key.is_local and not agrees and (not diverged or bound or self._found[event.key].of_another_kind):
                made.add(local_name(event.key))
            elif diverged and (reads - made) & before:
                answered.add(place)
                made.difference_update(statement.binds)
            elif diverged or (agrees and (not is_given(event.key, key) or not reads - made or (
                    statement not in unsound and statements.hands_on(statement, made & reads)))):
                yield agrees  # of what a layer is given, where the line reads nothing else, or hands it on
                answered.add(place)
                made.difference_update(statement.binds)

    @staticmethod
    def _part(event: Event, line: int) -> frozenset[str] | None:
        """Of one of several results that a function returns side by side, the names that it is made of."""
        if event.key.is_local or not event.key.variable.startswith("output[") or event.site is None or event.site.line != line:
            return None
        return returned_part(event.site, event.key.variable.removeprefix("output"))

    @functools.cached_property
    def _ends(self) -> dict[tuple, int]:
        """Module call -> place in the order of the last value of it."""
        return {event.key[:5]: event.order for event in self._truth.in_order()}

    @functools.cached_property
    def _begins_at(self) -> dict[tuple, Site]:
        """Run of a function -> the line of the first value in it."""
        begins: dict[tuple, Site] = {}
        for event in self._truth.in_order():
            inside = event.key.is_local and event.key.function != OPERATION and not event.key.variable.startswith("argument ")
            if inside and event.site is not None:
                begins.setdefault(event.key[:7], event.site)
        return begins

    def _agrees(self, key: Key) -> bool:
        return key in self._against.matched and (key not in self._found or self._found[key].verdict is Verdict.NOISE)

    def _diverged(self, key: Key) -> bool:
        return key in self._found and self._found[key].verdict is Verdict.DIVERGED

    @functools.cached_property
    def _diverged_in(self) -> dict[tuple, list[Key]]:
        """Module call -> what diverged at its borders and of its locals."""
        diverged: dict[tuple, list[Key]] = {}
        for key in filter(self._diverged, self._found):
            diverged.setdefault(key[:5], []).append(key)
        return diverged

    def _events_of(self, where: tuple, statements: Statements) -> list[tuple[Event, int]]:
        """Those of `_events_in` that are of one module, or of those inside of it. where: stage, step, phase, module."""
        known = self._of_modules.get((where, statements))
        if known is None:
            module = where[3]
            known = self._of_modules[where, statements] = [
                one for one in self._events_in.get((*where[:3], statements), ())
                if one[0].key.module == module or one[0].key.is_inside(module)]
        return known

    @functools.cached_property
    def _events_in(self) -> dict[tuple, list[tuple[Event, int]]]:
        """(stage, step, phase, the statements of a function) -> the values that its lines show, with their lines, in order."""
        events: dict[tuple, list[tuple[Event, int]]] = {}
        for event in self._truth.in_order():
            given, returned = (not event.key.is_local and event.key.variable.startswith(kind) for kind in ("input", "output"))
            if event.key.stage == "gradients" or event.key.function == OPERATION:
                continue
            for site in ([event.called] if given else [event.called, event.site] if returned else [event.site]):
                if site is not None:
                    events.setdefault((*event.key[:3], self._around(site)), []).append((event, site.line))
        return events

    def starts_anew(self, finding: Finding) -> bool:
        """Whether a local diverges, in a replay, although all that its line reads agrees: it is a mistake of its own, whatever
        came before. What its line only hands to modules is none of that: it goes on with the reference's value of their results."""
        key = finding.key
        if not key.is_local or key.function == OPERATION or key.stage == "gradients" or finding.verdict is not Verdict.DIVERGED:
            return False
        earlier = [other for other in self._found_in.get(key[:5], ()) if other.order < finding.order]
        here = [other for other in earlier if other.key[5:7] == key[5:7]]
        if any(other.verdict is Verdict.DIVERGED and other.key[5:7] != key[5:7] for other in earlier):
            return False  # in a function that was called, perhaps by this line
        handed = self._handed_on(finding)
        return all(self._reads_right(side(finding), here, side, key, handed) for side in (_reference, _twin))

    def _handed_on(self, finding: Finding) -> bool:
        """Whether a local's line calls modules, and goes on with the reference's value of all that they return."""
        statements = self._around(finding.reference)
        if statements is None:
            return False
        statement = statements.at(finding.reference.line)
        returned = [event.key for event, _ in self._events_in.get((*finding.key[:3], statements), ())
                    if event.called is not None and statements.at(event.called.line) is statement
                    and event.key.is_inside(finding.key.module) and event.key.variable.startswith("output")]
        modules = {key.module.removeprefix(f"{finding.key.module}.") for key in returned}
        called = {path.partition(".")[2] for path, _ in statement.handed if path.startswith("self.")}
        replaced = bool(returned) and all(key in self._against.matched and key.module not in self._truth.apart for key in returned)
        return replaced and all(any(module == path or module.startswith(f"{path}.") for module in modules)
                                for path in called)  # a method is no module

    @functools.cached_property
    def _found_in(self) -> dict[tuple, list[Finding]]:
        """Module call -> what is not the same of its locals."""
        found: dict[tuple, list[Finding]] = {}
        for finding in self._found.values():
            if finding.key.function not in ("", OPERATION) and finding.verdict is not Verdict.NOISE:
                found.setdefault(finding.key[:5], []).append(finding)
        return found

    def _reads_right(self, site: Site | None, earlier: list[Finding], side: object, key: Key, handed: bool) -> bool:
        statements = self._around(site)
        statement = statements.at(site.line) if statements is not None else None
        if statement is None:
            return False
        reads = {name for name in statement.values & statements.names if not (handed and statements.handed_to(statement, name))}
        wrong = {local_name(other.key) for other in earlier}
        written = {name for other in statements.all if other.first < statement.first for name in other.writes}
        seen = {local_name(other) for other in self._against.matched if other[:3] == key[:3] and other.module == key.module}
        blind = {name for name in reads if name not in seen | statements.arguments} | statement.own
        lines = [statements.at(side(other).line) for other in earlier if other.verdict is Verdict.DIVERGED and side(other)]
        return not reads & (wrong | written) and not any(_shares(line, blind) for line in lines)


class Wrong:
    """The names whose values are wrong in a running function, as its values come one after the other."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = set(names)
        self._lines: set[int] = set()  # where a module returned something wrong

    def see(self, key: Key, statement: Statement, diverged: bool, agrees: bool) -> None:
        """What a line binds, or a module returns that it calls. What nobody compared is as wrong as what it is made of."""
        if not key.is_local:
            self._lines.update({statement.first} if diverged and key.variable.startswith("output") else ())
        elif diverged or (not agrees and (statement.first in self._lines or statement.values & self.names)):
            self.names.add(local_name(key))
        else:
            self.names.discard(local_name(key))


def parameter_of(key: Key, function: Statements) -> str | None:
    """The name under which a module's forward has what its call is given."""
    place = re.match(r"input\[(?:(\d+)|'(\w+)')\]", key.variable)
    if place is None or key.is_local:
        return None
    number, name = place.groups()
    if name is None:
        name = function.parameters[int(number)] if int(number) < len(function.parameters) else None
    return name


def _shares(statement: Statement | None, names: set[str]) -> bool:
    """Whether a line that went wrong reads one of these as well, which nobody compared: the mistake may be there."""
    return statement is not None and bool(names & (statement.values | statement.own))


def _reference(finding: Finding) -> Site | None:
    return finding.reference


def _twin(finding: Finding) -> Site | None:
    return finding.twin


def _belongs(event: Key, key: Key) -> bool:
    """Whether an event is one of the run of a function that a value is of: a local, what it returns, what it gives to a layer."""
    if event[:5] == key[:5]:
        return key.function == OPERATION or event[5:7] == key[5:7] or event.variable.startswith("output")
    return is_given(event, key)


def is_given(event: Key, key: Key) -> bool:
    """Whether an event is what a module inside is given."""
    return event.is_inside(key.module) and not event.is_local and event.variable.startswith("input")


def local_name(key: Key) -> str:
    """The local that a value is bound to, itself or as a part of it."""
    return re.match(r"(?:argument )?(\w*)", key.variable)[1]

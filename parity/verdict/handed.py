"""What one side alone hands to inner modules, or which of them it alone calls: a mask that the other side makes inside, a flag, a
cache, a layer without weights that the other side has no use for.

Whether that is a mistake its own value cannot tell, as it has no partner; what is made of it can, by the names that the lines of
the side read that has it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable

from parity.numbers.arrays import Verdict
from parity.trace.events import Event, Key, is_inside
from parity.trace.source import Statement, Statements, statements_around
from parity.verdict.findings import Finding
from parity.verdict.flow import Wrong, parameter_of
from parity.verdict.sinks import Against, Store


class Handed:
    """found: what is not the same, of one run of the twin."""

    def __init__(self, found: Iterable[Finding], truth: Store, against: Against) -> None:
        verdicts = _Verdicts({finding.key: finding for finding in found}, against)
        theirs = [*(event for event, _ in against.matched.values()), *(event for event, _ in against.extra)]
        self._verdicts = verdicts
        self._sides = _Side(truth.events.values(), verdicts), _Side(theirs, verdicts)

    def passed(self, key: Key) -> bool:
        """Whether this is such an argument, or of such a call, and none to speak of: nothing diverges that is made of it and of
        nothing else that does; or the other side gives the call an argument of its name in another place. A call around modules
        that both sides call is none: what they are given and return tells.
        """
        if self._verdicts.alone_called(key):
            return self._verdicts.called_inside(key) or not any(side.call_tells(key[:5]) for side in self._sides)
        return self._verdicts.alone(key) and (self._stands_elsewhere(key) or not any(side.tells(key) for side in self._sides))

    def _stands_elsewhere(self, key: Key) -> bool:
        names = [side.names_alone(key[:5]) for side in self._sides]
        return not self._verdicts.matched(key) and any(
            names[here].get(key) in names[1 - here].values() for here in (0, 1) if key in names[here])


class _Verdicts:
    def __init__(self, found: dict[Key, Finding], against: Against) -> None:
        self._found, self._against = found, against
        self._called = {key[:5] for key in against.matched if not key.is_local and key.variable.startswith(("input", "output"))}

    def alone_called(self, key: Key) -> bool:
        """Whether it is of a module call that one side alone makes."""
        border = not key.is_local and key.variable.startswith(("input", "output"))
        return border and key.stage != "gradients" and key[:5] not in self._called

    def called_inside(self, key: Key) -> bool:
        """Whether both sides call modules that are inside of this one, as often as it was called by then."""
        return any(called[:3] == key[:3] and called[4] == key.call and is_inside(called[3], key.module)
                   for called in self._called)

    def matched(self, key: Key) -> bool:
        return key in self._against.matched

    def diverged(self, key: Key) -> bool:
        return key in self._found and self._found[key].verdict is Verdict.DIVERGED

    def agrees(self, key: Key) -> bool:
        return self.matched(key) and (key not in self._found or self._found[key].verdict is Verdict.NOISE)

    def alone(self, key: Key) -> bool:
        """Whether this is what one side alone gives to a module's call; or both, but something of another shape or dtype, as where
        their modules take them in another order."""
        if key.is_local or not key.variable.startswith("input") or key.stage == "gradients":
            return False
        return not self.matched(key) or self.unlike(key)

    def unlike(self, key: Key) -> bool:
        """Whether the two values are of other shapes or dtypes, so that it is for what is made of them to tell."""
        return self.diverged(key) and self._found[key].of_another_kind


class _Side:
    """What is made of an argument on one side, by the lines of its functions."""

    def __init__(self, events: Iterable[Event], verdicts: _Verdicts) -> None:
        self._verdicts = verdicts
        self._by_module: dict[str, list[Event]] = {}
        self._borders: list[Event] = []
        for event in sorted(events, key=lambda event: event.order):
            if event.key.stage != "gradients":
                self._by_module.setdefault(event.key.module, []).append(event)
                self._borders += [] if event.key.is_local else [event]
        self.tells, self.call_tells = functools.cache(self._tells), functools.cache(self._call_tells)
        self.names_alone = functools.cache(self._names_alone)

    def _tells(self, key: Key) -> bool:
        """Whether something made of the argument diverges, and of nothing else that does.

        Of a module whose lines were not followed: whether what it returns diverges, though all else that it is given agrees.
        """
        border = [event.key for event in self._of_call(key) if not event.key.is_local]
        if key not in border:
            return False
        given = [other for other in border if other.variable.startswith("input") and not self._verdicts.alone(other)]
        wrong = [other for other in given if self._verdicts.diverged(other)]
        function = self._function(key)
        if function is None:
            return not wrong and any(other.variable.startswith("output") and self._verdicts.diverged(other) for other in border)
        name = parameter_of(key, function)
        return name is not None and self._diverges({name}, key, function, Wrong(filter(None, (
            parameter_of(other, function) for other in wrong))))

    def _names_alone(self, call: tuple) -> dict[Key, str]:
        """What this side alone gives to a call, under the names that its forward has for it."""
        given = [event.key for event in self._by_module.get(call[3], ()) if event.key[:5] == call]
        function = self._function(given[0]) if given else None
        return {key: name for key in given if function is not None and self._verdicts.alone(key)
                and not self._verdicts.matched(key) and (name := parameter_of(key, function)) is not None}

    def _call_tells(self, call: tuple) -> bool:
        """The same of what a call returns that this side alone makes; of one whose caller's lines were not followed, whether the
        next value at a border that both sides have diverges."""
        events = self._by_module.get(call[3], ())
        event = next((event for event in events if event.key[:5] == call and not event.key.is_local), None)
        if event is None:
            return False
        caller = self._caller(event)
        function = statements_around(event.called)
        statement = function.at(event.called.line) if function is not None else None
        if caller is None or statement is None:
            after = max(other.order for other in events if other.key[:5] == call)
            behind = (other for other in self._borders if other.order > after and self._verdicts.matched(other.key))
            return any(self._verdicts.diverged(other.key) for other in itertools.islice(behind, 1))
        wrong = [other.key for other in self._of_call(caller) if not other.key.is_local and self._verdicts.diverged(other.key)]
        return self._diverges(set(), caller, function, Wrong(filter(None, (parameter_of(other, function) for other in wrong))),
                              statement)

    def _caller(self, event: Event) -> Key | None:
        """A value of the forward that made a call."""
        path = event.key.module
        while path:
            path = path.rpartition(".")[0]
            behind = next((other for other in self._by_module.get(path, ()) if other.order > event.order), None)
            function = self._function(behind.key) if behind is not None else None
            if function is not None and function is statements_around(event.called):
                return behind.key
        return None

    def _diverges(self, made: set[str], key: Key, function: Statements, wrong: Wrong, start: Statement | None = None) -> bool:
        """Whether something diverges that is made of these locals of a function, and of nothing else that is wrong. start: the
        statement that makes them, of something that nobody could compare."""
        verdicts = self._verdicts
        lines = [(event, statement) for event in self._around(key) if (statement := _line(event, key, function)) is not None]
        unsound = {statement for event, statement in lines if event.key.module != key.module
                   and event.key.variable.startswith("input") and (verdicts.diverged(event.key) or verdicts.alone(event.key))}
        asked = set()  # lines that hand it on to a module, which has answered, or is given nothing wrong
        for event, statement in lines:
            inner = event.key.module != key.module
            reads, before = statement.values & function.names, frozenset(wrong.names)
            wrong.see(event.key, statement, verdicts.diverged(event.key), verdicts.agrees(event.key))
            unknown = not inner and event.key.is_local and (not verdicts.matched(event.key) or verdicts.unlike(event.key))
            if statement is start and not inner:
                if verdicts.diverged(event.key) and not unknown and not reads & before:
                    return True
                (made.difference_update if verdicts.agrees(event.key) else made.update)(statement.binds)
                continue
            if made & reads and statement.first not in asked:
                if inner and verdicts.alone(event.key):
                    if self.tells(event.key):
                        return True
                    asked.add(statement.first)
                elif unknown:
                    made.update(statement.binds)
                    continue
                elif verdicts.diverged(event.key) and not (inner and event.key.variable.startswith("output")):
                    if not (reads - made) & before:
                        return True
                elif inner and statement not in unsound and function.hands_on(statement, made & reads):
                    asked.add(statement.first)
            if not inner:
                made.difference_update(statement.binds)
        return False

    def _of_call(self, key: Key) -> list[Event]:
        """All of one call of a module."""
        return [event for event in self._by_module.get(key.module, ()) if event.key[:5] == key[:5]]

    def _around(self, key: Key) -> list[Event]:
        """What the lines of a call's forward show, in order: what they bind, what it returns, what modules are given and return
        that both sides call."""
        own = [event for event in self._of_call(key) if event.key.variable.startswith("output") or (
            event.key.function == "forward" and not event.key.frame)]
        orders = [event.order for event in self._of_call(key)]
        inner = [event for module, events in self._by_module.items() if module.startswith(f"{key.module}.")
                 for event in events if not event.key.is_local and event.key.variable.startswith(("input", "output"))
                 and min(orders) < event.order < max(orders) and not self._verdicts.alone_called(event.key)]
        return sorted(own + inner, key=lambda event: event.order)

    def _function(self, key: Key) -> Statements | None:
        """The forward of a call's module, where its lines were followed."""
        sites = (event.site for event in self._of_call(key) if event.key.function == "forward")
        return next((found for site in sites if (found := statements_around(site)) is not None), None)


def _line(event: Event, key: Key, function: Statements) -> Statement | None:
    """The statement of a function, which is the forward of a call, that an event belongs to."""
    site = event.called if event.key.module != key.module else event.site
    return function.at(site.line) if site is not None and statements_around(site) is function else None

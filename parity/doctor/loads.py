"""What a script loads into its networks, from its first line to its last: a load that changes nothing is none."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np

from parity.doctor.arrays import checksum
from parity.doctor.finding import Finding
from parity.frameworks import Framework
from parity.messages import say
from parity.trace.source import Site


class Taken(NamedTuple):
    """A tensor that `state_dict()` gave: a weak reference to it, the mark of its values, how many forwards there had been, the
    line."""

    tensor: Callable[[], Any]
    mark: int
    forwards: int
    site: Site


class Loads:
    """findings: of loads that cannot do what they are for.

    site: the line of the user's that is running; name: what the user calls a network. forwards: how many there have been that a
    training may be made of; who writes into a state himself and loads it makes none.
    """

    def __init__(self, site: Callable[[], Site | None], name: Callable[[Any], str], doctors: Sequence[Any] = ()) -> None:
        self.findings: list[Finding] = []
        self.forwards = 0
        self._site, self._name, self._doctors = site, name, doctors
        self._given: dict[tuple[int, int], int] = {}  # (network, another) -> mark of what the other has lent it at the latest load
        self._owners: dict[int, weakref.ref] = {}  # tensor -> the network whose state_dict() gave it
        self._taken: dict[int, Taken] = {}
        self._busy = False

    def stand_ins(self, framework: Framework) -> dict[str, Callable[[Callable], Callable]]:
        """Methods of its networks, and what to make of each."""
        loading = {name: lambda original: self._loading(framework, original) for name in framework.load_methods}
        return {"state_dict": lambda original: self._giving(framework, original), **loading}

    def _giving(self, framework: Framework, original: Callable) -> Callable:
        @functools.wraps(original)
        def state_dict(network: Any, *args: Any, **kwargs: Any) -> Any:
            if self._busy:  # a part's, which the whole's asks for
                return original(network, *args, **kwargs)
            with self._work():
                state = original(network, *args, **kwargs)
            with suppress(Exception):  # whatever is wrong with these tensors, the script goes on
                self._take(framework, state)
                first = next(filter(framework.is_tensor, state.values()))
                self._owners[id(first)] = weakref.ref(network)
            return state
        return state_dict

    def _loading(self, framework: Framework, original: Callable) -> Callable:
        @functools.wraps(original)
        def load(network: Any, *args: Any, **kwargs: Any) -> Any:
            if self._busy:
                return original(network, *args, **kwargs)
            kept, state = None, args[0] if args else next(iter(kwargs.values()), None)
            with self._work():
                with suppress(Exception):
                    kept = self._own_and_moved(framework, network, state)
                    self._compare(framework, network, state)
                result = original(network, *args, **kwargs)
            with suppress(Exception):
                self._look(self._name(network), kept, state, *result)
            return result
        return load

    @contextmanager
    def _work(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _take(self, framework: Framework, state: Mapping[str, Any]) -> None:
        site = self._site()
        self._taken = {number: taken for number, taken in self._taken.items() if taken.tensor() is not None}
        if site is not None:
            self._taken |= {id(tensor): Taken(weakref.ref(tensor), checksum(framework.values(tensor)), self.forwards, site)
                            for tensor in filter(framework.is_tensor, state.values())}

    def _look(self, network: str, kept: Site | None, state: Mapping[str, Any], missing: Sequence[str],
              unexpected: Sequence[str]) -> None:
        if kept is not None:
            self._note(Finding("state-by-reference", network, say(
                "what {network}'s state_dict() gives are its weights themselves, and these have moved on since: loading that "
                "back changes nothing", network=network), site=kept))
        elif state and len(unexpected) == len(state):
            self._note(Finding("nothing-loaded", network, say(
                "nothing was loaded into {network}: it has none of the {count} names that it was given", count=len(state),
                network=network), evidence=say("given {name}, and {network} has {own}", name=next(iter(state)),
                                               own=next(iter(missing), ""), network=network), site=self._site()))

    def _compare(self, framework: Framework, network: Any, state: Mapping[str, Any]) -> None:
        """Is a network that is trained given the same weights of another again, though it has been trained away from them?"""
        name = next((name for doctor in self._doctors for name, model in doctor.program.models.items()
                     if model is network and doctor.trained(name)), None)
        owner = self._owners.get(id(next(filter(framework.is_tensor, state.values()))), lambda: None)()
        if name is None or owner is None or owner is network:
            return
        given, own = (checksum(np.concatenate([framework.values(p).ravel() for p in framework.parameters(one).values()]))
                      for one in (owner, network))
        key = id(network), id(owner)
        if self._given.get(key) == given != own:
            self._note(Finding("training-thrown-away", name, say(
                "{network}, which is trained, gets the weights of {other} again, and these are the same as the last time: what it "
                "has learned in between is thrown away", network=name, other=self._name(owner)), site=self._site()))
        self._given[key] = given

    def _own_and_moved(self, framework: Framework, network: Any, state: Mapping[str, Any]) -> Site | None:
        """Where a state was taken that is the network's own, all of it, and is no more what it was then."""
        own = framework.entries(network)
        shared = [name for name, value in state.items() if name in own and framework.is_tensor(value)]
        if not shared or not all(framework.is_same_memory(state[name], own[name]) for name in shared):
            return None
        for name in shared:
            taken = self._taken.get(id(state[name]))
            if (taken is not None and taken.tensor() is state[name] and taken.forwards < self.forwards
                    and checksum(framework.values(state[name])) != taken.mark):
                return taken.site
        return None

    def _note(self, finding: Finding) -> None:
        if finding.site is not None and all(finding.site != other.site for other in self.findings):
            self.findings.append(finding)

"""What a script loads into its networks, from its first line to its last: a load that changes nothing is none."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from parity.doctor.arrays import checksum
from parity.doctor.finding import Finding
from parity.frameworks import Framework
from parity.messages import say
from parity.trace.source import Site

Taken = tuple[Callable[[], Any], Any, Site | None]
"""A weak reference to a tensor that `state_dict()` gave, the mark of its values then, and the line."""


class Loads:
    """findings: of loads that cannot do what they are for.

    site: the line of the user's that is running; name: what the user calls a network.
    """

    def __init__(self, site: Callable[[], Site | None], name: Callable[[Any], str]) -> None:
        self.findings: list[Finding] = []
        self._site, self._name = site, name
        self._taken: dict[int, Taken] = {}
        self._busy = False

    def stand_ins(self, framework: Framework) -> dict[str, Callable[[Callable], Callable]]:
        """Methods of its networks, and what to make of each."""
        loading = {name: lambda original: self._loading(framework, original) for name in framework.load_methods}
        return {"state_dict": lambda original: self._giving(framework, original), **loading}

    def _giving(self, framework: Framework, original: Callable) -> Callable:
        def state_dict(network: Any, *args: Any, **kwargs: Any) -> Any:
            if self._busy:  # a part's, which the whole's asks for
                return original(network, *args, **kwargs)
            self._busy = True
            try:
                state = original(network, *args, **kwargs)
            finally:
                self._busy = False
            with suppress(Exception):  # whatever is wrong with these tensors, the script goes on
                self._take(framework, state)
            return state
        return state_dict

    def _loading(self, framework: Framework, original: Callable) -> Callable:
        def load(network: Any, state: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
            if self._busy:
                return original(network, state, *args, **kwargs)
            self._busy = True
            kept = None
            try:
                with suppress(Exception):
                    kept = self._own_and_moved(framework, network, state)
                result = original(network, state, *args, **kwargs)
            finally:
                self._busy = False
            if kept is not None:
                self._note(Finding("state-by-reference", self._name(network), say(
                    "what {network}'s state_dict() gives are its weights themselves, and these have moved on since: loading that "
                    "back changes nothing", network=self._name(network)), site=kept))
            elif state and len(result[1]) == len(state):  # (missing, unexpected)
                name, own = next(iter(state)), next(iter(result[0]), "")
                self._note(Finding("nothing-loaded", self._name(network), say(
                    "nothing was loaded into {network}: it has none of the {count} names that it was given", count=len(state),
                    network=self._name(network)), evidence=say("given {name}, and {network} has {own}", name=name, own=own,
                                                               network=self._name(network)), site=self._site()))
            return result
        return load

    def _take(self, framework: Framework, state: Mapping[str, Any]) -> None:
        site = self._site()
        self._taken = {number: taken for number, taken in self._taken.items() if taken[0]() is not None}
        if site is not None:
            self._taken |= {id(tensor): (weakref.ref(tensor), checksum(framework.values(tensor)), site)
                            for tensor in filter(framework.is_tensor, state.values())}

    def _own_and_moved(self, framework: Framework, network: Any, state: Mapping[str, Any]) -> Site | None:
        """Where a state was taken that is the network's own, all of it, and is no more what it was then."""
        own = framework.entries(network)
        shared = [name for name, value in state.items() if name in own and framework.is_tensor(value)]
        if not shared or not all(framework.is_same_memory(state[name], own[name]) for name in shared):
            return None
        for name in shared:
            taken, mark, site = self._taken.get(id(state[name]), (lambda: None, None, None))
            if taken() is state[name] and checksum(framework.values(state[name])) != mark:
                return site
        return None

    def _note(self, finding: Finding) -> None:
        if finding.site is not None and all(finding.site != other.site for other in self.findings):
            self.findings.append(finding)

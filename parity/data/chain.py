"""What becomes of a sample on one side, step by step: each line of the user's that binds a picture or an array, each transform."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from parity.data.written import name_of, site_of
from parity.frameworks import Framework
from parity.frameworks.composed import CHAINS, chains, watching
from parity.frameworks.values import arrays_of
from parity.numbers.arrays import largest_magnitude
from parity.trace.events import Event
from parity.trace.recorder import Recorder
from parity.trace.side import Run, Side
from parity.trace.source import Site, SourceTree

TRANSFORM, LINE = "transform", "line"


class Step(NamedTuple):
    """One value on its way. key: what makes it the same step on both sides. name: in words. site: the line."""

    key: tuple
    name: str
    site: Site | None
    array: np.ndarray


@dataclass
class Made:
    """What one side made in one place: the value itself, its arrays by access path, the steps, and the types of leaves that cannot
    be compared."""

    value: Any
    arrays: dict[str, np.ndarray | None]
    steps: list[Step]
    unknown: dict[str, str]

    @property
    def largest(self) -> float:
        """The largest magnitude among the floating-point numbers on the way."""
        arrays = [*self.arrays.values(), *(step.array for step in self.steps)]
        return max((largest_magnitude(one) for one in arrays if one is not None and one.dtype.kind == "f"), default=0.0)


@dataclass
class Followed:
    """The code of one side. source: the user's files. chains: classes of chains of transforms. modules: the user's. sites:
    where transforms are written, as far as that was looked for: by id, with the transform itself."""

    framework: Framework
    source: SourceTree
    chains: list[type] = field(default_factory=lambda: list(chains()))
    modules: list[ModuleType] = field(init=False)
    sites: dict[int, tuple[Any, Site | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.modules = self.source.modules()

    def site_of(self, transform: Any) -> Site | None:
        if id(transform) not in self.sites:
            self.sites[id(transform)] = transform, site_of(transform, self.source, self.modules)
        return self.sites[id(transform)][1]

    def run(self, make: Callable[[], Any]) -> Made:
        """Make a value, and note what becomes of it on the way."""
        steps = _Steps(self)
        recorder = Recorder(Side(self.framework, self.source), steps, Run(gradients=False, stage="data"))
        with recorder.recording(), watching(steps.transform, self.chains):
            value = make()
        arrays, unknown = arrays_of(value)
        return Made(value, arrays, steps.found, unknown)


@dataclass
class _Steps:
    """A sink for the lines, and the observer of the transforms."""

    code: Followed
    keeps: bool = True
    apart: set[str] = field(default_factory=set)
    found: list[Step] = field(default_factory=list)
    seen: Counter = field(default_factory=Counter)

    def receive(self, event: Event) -> None:
        key = event.key
        if event.array is not None and event.drawn is None and key.function:
            of = "of" if key.variable == "return" or key.variable.startswith("argument ") else "in"
            self._add((LINE, key.function, key.variable), f"{key.variable} {of} {key.function}()", event.site, event.array)

    def transform(self, transform: Any, given: Any, made: Any) -> None:
        name = name_of(transform)
        if name in CHAINS:
            return  # its members have told
        site = self.code.site_of(transform) or self.code.source.site(sys._getframe(1))
        first = not self.found or self.found[-1].key[0] != TRANSFORM  # else what goes in is what the one before made
        for label, value in (("what enters ", given), ("", made)) if first else (("", made),):
            for path, array in arrays_of(value)[0].items():
                if array is not None:
                    self._add((TRANSFORM, label + name, path), label + name, site, array)

    def _add(self, key: tuple, name: str, site: Site | None, array: np.ndarray) -> None:
        if array.ndim:
            self.seen[key] += 1
            self.found.append(Step((*key, self.seen[key]), name, site, array))

"""The runs that the explanation needs, each a small JSON description, and what each of them does.

A task is {"kind", "start", ...}; its result is JSON as well, so that it can be kept and looked up again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from parity.ugatit.explain import course, iterators, ladder, networks, symptom
from parity.ugatit.explain.start import Start

STEPS, OTHER_STEPS, PAIR_STEPS, LONG = 10, 5, 2, 100
DRAWS = 3  # of the reference, in each lane: the noise of its losses
OTHER = {"seed": 2021, "size": 96}
"""A second start, other weights and smaller pictures: an order of effects that holds from there as well is no accident of the
first; it is the same after five steps as after ten. Pairs are run from there too, at half the cost."""

Task = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """What is explained.

    names: the faults that together are the port, in order: each alone, all but each, all, every pair. more: faults of which only
    the effect alone is asked for. long: fault sets that are followed over the long run, beside the reference.
    """

    names: tuple[str, ...]
    more: tuple[str, ...] = ()
    long: tuple[tuple[str, ...], ...] = ((),)
    start: Start = field(default_factory=Start)
    steps: int = STEPS
    long_steps: int = LONG

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.names, *self.more)

    @property
    def other(self) -> Start:
        return replace(self.start, **OTHER)

    def without(self, name: str) -> tuple[str, ...]:
        return tuple(other for other in self.names if other != name)


def plan(scope: Scope) -> list[Task]:
    """All tasks, the longest first, so that the cores end together."""
    alone = [(name,) for name in scope.every]
    sets = list(dict.fromkeys([(), *alone, scope.names, *(scope.without(name) for name in scope.names)]))
    tasks = [*(long_run(scope, "twin", names) for names in scope.long), place(scope), long_run(scope, "reference")]
    tasks += [noise(scope, lane, draw) for lane in ("float64", "float32") for draw in (None, *range(DRAWS))]
    tasks += [losses(scope, names) for names in sets] + [losses(scope, names, scope.other) for names in alone]
    tasks += [noise(scope, "float64", None, scope.other), *(pair_noise(scope, draw) for draw in range(DRAWS))]
    tasks += [losses(scope, (), scope.other), *(pair(scope, *names) for names in combinations(scope.names, 2))]
    tasks += [errors(scope, names) for names in dict.fromkeys([(), *alone, scope.names])]
    tasks += [features(scope), iterator_trap()]
    return list({json.dumps(task, sort_keys=True): task for task in tasks}.values())  # a pair may be all there is


def long_run(scope: Scope, side: str, names: Sequence[str] = ()) -> Task:
    return {**_at(scope), "kind": "long", "side": side, "names": list(names), "steps": scope.long_steps}


def noise(scope: Scope, lane: str, draw: int | None, start: Start | None = None) -> Task:
    """The reference's losses: as they are, or in a noise draw."""
    return {**_at(scope, start), "kind": "reference", "lane": lane, "draw": draw, "steps": _steps(scope, start)}


def losses(scope: Scope, names: Sequence[str], start: Start | None = None) -> Task:
    return {**_at(scope, start), "kind": "losses", "names": list(names), "steps": _steps(scope, start)}


def pair_noise(scope: Scope, draw: int) -> Task:
    """A noise draw from where the pairs start, over as many steps."""
    return {**noise(scope, "float64", draw, scope.other), "steps": min(PAIR_STEPS, scope.steps)}


def pair(scope: Scope, one: str, other: str) -> Task:
    return {**_at(scope, scope.other), "kind": "losses", "names": [one, other], "steps": min(PAIR_STEPS, scope.steps)}


def errors(scope: Scope, names: Sequence[str]) -> Task:
    return {**_at(scope), "kind": "errors", "names": list(names)}


def place(scope: Scope) -> Task:
    """The first step, recorded whole: with all of `names`, with none, with each alone."""
    return {**_at(scope), "kind": "ladder", "names": [list(scope.names), [], *([name] for name in scope.every)]}


def features(scope: Scope) -> Task:
    return {**_at(scope), "kind": "features"}


def iterator_trap() -> Task:
    return {"kind": "iterators"}


def _steps(scope: Scope, start: Start | None) -> int:
    return scope.steps if start in (None, scope.start) else min(OTHER_STEPS, scope.steps)


def _at(scope: Scope, start: Start | None = None) -> Task:
    return {"start": (start or scope.start).to_json()}


def describe(task: Task) -> str:
    """For a progress bar."""
    names = task.get("names", ())
    faults = "no fault" if not names else f"{len(names)} faults" if len(names) > 2 else " and ".join(map(str, names))
    return {"ladder": "the first step, recorded whole", "features": "features of the CAM classifier",
            "iterators": "the iterator trap", "reference": f"reference, {task.get('lane')}",
            "long": f"{task.get('steps')} steps of the {task.get('side')}: {faults}",
            "errors": f"networks: {faults}"}.get(task["kind"], f"{task.get('steps')} steps: {faults}")


def do(task: Task) -> Any:
    """Run a task here and now."""
    options = {key: value for key, value in task.items() if key != "kind"}
    if "start" in options:
        options["start"] = Start(**options["start"])
    return _KINDS[task["kind"]](**options)


def _errors(start: Start, names: Sequence[str]) -> dict:
    return {network: networks.run(start, names, network) for network in networks.NETWORKS}


def _ladder(start: Start, names: Sequence[Sequence[str]]) -> list[dict]:
    return [ladder.run(start, each) for each in names]


_KINDS: dict[str, Callable[..., Any]] = {
    "reference": course.reference, "losses": course.run, "long": symptom.run, "errors": _errors, "ladder": _ladder,
    "features": symptom.features, "iterators": iterators.run,
}

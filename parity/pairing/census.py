"""The first rung: do both sides have the same parameters and buffers, under the same names, trained alike?

No numerics yet: 132 parameters against 88 is already the answer (Paddle issue 26721).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.frameworks import Framework
from parity.messages import Message, say
from parity.numbers.arrays import Deviation
from parity.pairing.correspondence import Correspondence, correspond
from parity.pairing.initialisers import drawn_otherwise
from parity.trace.source import ConstructionSites, Site
from weights_convert import LayoutTable, Plan, pair_up


@dataclass(frozen=True)
class CensusFinding:
    """One entry that does not agree: its full name, what is wrong, the lines that built its owners."""

    name: str
    message: str
    reference: Site | None
    twin: Site | None

    @property
    def deviation(self) -> Deviation:
        return Deviation(float("inf"), trouble=self.message)


@dataclass(frozen=True)
class Census:
    """plan: how the entries that do agree are laid out. compared: how many were looked at."""

    plan: Plan
    compared: int
    findings: tuple[CensusFinding, ...]
    modules: Mapping[str, str] | None = None  # twin path -> reference path; None: the same paths
    guesses: tuple[str, ...] = ()


def take(reference: Any, twin: Any, frameworks: tuple[Framework, Framework],
         constructions: tuple[ConstructionSites, ConstructionSites], layouts: LayoutTable, *, fresh: bool = False,
         names: Mapping[str, str] | None = None) -> Census:
    """Pair all parameters and buffers of two models by name and layer type, and compare what they are.

    fresh: both hold the initial weights that they drew themselves; compare how these are distributed. names: as in `Pair`.
    """
    if names is None:
        plan, problems = pair_up(reference, twin, layouts)
        paired = Correspondence(plan, tuple(problems))
    else:
        paired = correspond(reference, twin, layouts, names)
        plan, problems = paired.plan, paired.problems
    modules = [dict(framework.modules(model)) for framework, model in zip(frameworks, (reference, twin), strict=True)]

    def site(side: int, name: str) -> Site | None:
        path = name.rpartition(".")[0]
        while True:
            module = modules[side].get(path)
            found = constructions[side].of(module) if module is not None else None
            if found is not None or not path:
                return found
            path = path.rpartition(".")[0]

    findings = [CensusFinding(problem.name, Message(problem.pattern, problem.values), site(0, problem.name), site(1, problem.name))
                for problem in problems]
    findings += [CensusFinding(name, message, site(0, name), site(1, name))
                 for name, message in _disagreements(plan, reference, twin, frameworks)]
    compared = len(plan.entries) + len(problems)
    if fresh:
        drawn = _fresh_pairs(plan, reference, twin, frameworks)
        compared += len(drawn)
        findings += [CensusFinding(name, message, site(0, name), site(1, name)) for name, (left, right) in drawn.items()
                     if (message := drawn_otherwise(left, right, len(drawn))) is not None]
    return Census(plan, compared, tuple(findings), None if names is None else paired.modules, paired.guesses)


def _disagreements(plan: Plan, reference: Any, twin: Any,
                   frameworks: tuple[Framework, Framework]) -> Iterator[tuple[str, str]]:
    """Entries that fit, but are not trained alike: a parameter here and a buffer there, a frozen one."""
    kinds = []
    for framework, model in zip(frameworks, (reference, twin), strict=True):
        kind = dict.fromkeys(framework.buffers(model), say("a buffer"))
        for name, parameter in framework.parameters(model).items():
            kind[name] = say("a trained parameter") if framework.requires_grad(parameter) else say("a frozen parameter")
        kinds.append(kind)
    for entry in plan.entries.values():
        if entry.target is not None:
            left, right = kinds[0].get(entry.source), kinds[1].get(entry.target)
            if left != right:
                yield entry.source, say("{left} in the reference, {right} in the twin", left=left or say("no entry"),
                                        right=right or say("no entry"))


def _fresh_pairs(plan: Plan, reference: Any, twin: Any,
                 frameworks: tuple[Framework, Framework]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The parameters that both sides have, as each drew them."""
    left, right = ({name: framework.array(parameter, copy=False) for name, parameter in framework.parameters(model).items()}
                   for framework, model in zip(frameworks, (reference, twin), strict=True))
    return {entry.source: (left[entry.source], right[entry.target])
            for entry in plan.entries.values() if entry.source in left and entry.target in right}

"""The first rung: do both sides have the same parameters and buffers, under the same names, trained alike?

No numerics yet: 132 parameters against 88 is already the answer (Paddle issue 26721).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.frameworks import Framework
from parity.messages import Message, say, some, term
from parity.numbers.arrays import Deviation, deviation, eps_of, is_float, resemblance
from parity.numbers.noise import ACCURACY, RESOLUTION
from parity.pairing.by_value import Choice
from parity.pairing.correspondence import Correspondence, Pairs, alike_together, correspond
from parity.pairing.initialisers import drawn_otherwise
from parity.pairing.near import NearMiss, near_misses
from parity.pairing.nodes import Node
from parity.trace.graph_words import switches
from parity.trace.source import ConstructionSites, Site, attribute_site, code_of, function_of
from parity.trace.statements import lines_of
from weights_convert import Entry, LayoutTable, Plan, Problem, dtypes, pair_up

Models = tuple[Any, Any]
Frameworks = tuple[Framework, Framework]
Lone = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class CensusFinding:
    """One entry that does not agree: its full name, what is wrong, the lines that built its owners. unpaired: it has no partner."""

    name: str
    message: str
    reference: Site | None
    twin: Site | None
    unpaired: bool = False

    @property
    def deviation(self) -> Deviation:
        return Deviation(float("inf"), trouble=self.message)


@dataclass(frozen=True)
class Census:
    """plan: how the entries that do agree are laid out. compared: how many were looked at. lone: of either side, the buffers of the
    user's own classes that the other side has none of, and what is frozen at what does nothing. apart: the reference's names of
    tensors that are one on one side and several on the other, whose gradients have no partner. aside: of either side, u and v of
    spectral norms that cannot be paired, of which a finding says all that there is to say. near: what might have been meant for
    what has no partner.
    """

    plan: Plan
    compared: int
    findings: tuple[CensusFinding, ...]
    modules: Mapping[str, str] | None = None  # twin path -> reference path; None: the same paths
    guesses: tuple[str, ...] = ()
    lone: Lone = (frozenset(), frozenset())
    apart: frozenset[str] = frozenset()
    aside: Lone = (frozenset(), frozenset())
    near: tuple[NearMiss, ...] = ()
    silent: tuple[Pairs, ...] = ()  # these two as in `Correspondence`
    doubtful: frozenset[str] = frozenset()

    @property
    def unpaired(self) -> bool:
        """Whether some tensor has no partner: all that can be said of a run then follows from that."""
        return any(finding.unpaired for finding in self.findings)

    def left_open(self) -> Message:
        """What to tell where nothing is run for that."""
        if not self.near:
            return say("nothing was run, as some tensors have no partner; `parity names` prints the whole pairing, to be put right "
                       "with names= or --map")
        return say("nothing was run, as some tensors have no partner. Near misses: {misses}. `parity names` prints the whole "
                   "pairing, to be put right with names= or --map", misses=some([miss.said() for miss in self.near], 6))


def take(reference: Any, twin: Any, frameworks: tuple[Framework, Framework],
         constructions: tuple[ConstructionSites, ConstructionSites], layouts: LayoutTable, *, fresh: bool = False,
         names: Mapping[str, str] | None = None, choice: Choice = Choice(),  # noqa: B008 (a value that never changes)
         makers: tuple[type, type] | None = None) -> Census:
    """Pair all parameters and buffers of two models by name and layer type, and compare what they are.

    fresh: both hold the initial weights that they drew themselves; compare how these are distributed. names: as in `Pair`. choice:
    what values have told. makers: classes of what has built the two, and may have frozen some of them.
    """
    if names is None:
        plan, problems = pair_up(reference, twin, layouts)
        paired = Correspondence(plan, tuple(problems))
    else:
        paired = correspond(reference, twin, layouts, {**names, **choice.names}, choice.turned)
        plan, problems = paired.plan, paired.problems
    models, guesses = (reference, twin), paired.guesses
    problems, lone = _of_weight(problems, plan, models, frameworks)
    held = [framework.entries(model) for framework, model in zip(frameworks, models, strict=True)]
    unpaired = [[problem.name for problem in problems if problem.name in entries] for entries in held]
    near = near_misses(models, (unpaired[0], unpaired[1])) if problems else []
    for side, names, framework, model in zip(("reference", "twin"), lone, frameworks, models, strict=True):
        counters = names & _counters(framework, model)
        if names - counters:
            guesses += (say("the {side} alone has {names}: buffers of its own, which stay as it made them", side=term(side),
                            names=some(sorted(names - counters))),)
        if counters:
            guesses += (say("the {side} alone has {names}: what they count is not compared, what it is used for is",
                            side=term(side), names=some(sorted(counters))),)
    problems = alike_together(problems)
    modules = [dict(framework.modules(model)) for framework, model in zip(frameworks, (reference, twin), strict=True)]

    def site(side: int, name: str) -> Site | None:
        """The line that built its owner; failing that, as of a model that no line of the user's builds, the one that made it."""
        owner, _, variable = name.rpartition(".")
        path = owner
        while True:
            module = modules[side].get(path)
            found = constructions[side].of(module) if module is not None else None
            if found is not None:
                return found
            if not path:
                return attribute_site(modules[side][owner], variable) if owner in modules[side] else None
            path = path.rpartition(".")[0]

    theirs = {ours: path for path, ours in (paired.modules or {}).items()}
    placed = plan.carried

    def partner(name: str) -> str:
        """What the twin calls it: of a tensor of the reference that fits nowhere, by the module that is its owner's partner."""
        owner, _, variable = name.rpartition(".")
        is_reference = name in held[0] and name not in placed
        return f"{theirs[owner]}.{variable}".lstrip(".") if is_reference and owner in theirs else name

    def number(name: str) -> float:
        """When the reference built its owner; last what only the twin has."""
        owner = modules[0].get(name.rpartition(".")[0])
        return math.inf if owner is None else constructions[0].number(owner)

    findings = [CensusFinding(problem.name, Message(problem.pattern, problem.values), site(0, problem.name),
                              site(1, partner(problem.name)), unpaired=True) for problem in problems]
    findings.sort(key=lambda finding: number(finding.name))  # nothing will run that would tell which comes first
    weights = {found.problem.name: found.weight for found in paired.misfits}
    findings += [CensusFinding(problem.name, Message(problem.pattern, problem.values), site(0, problem.name),
                               site(1, weights[problem.name].target))
                 for problem in alike_together(found.problem for found in paired.misfits)]
    aside = (frozenset(name for found in paired.misfits for name in found.reference),
             frozenset(name for found in paired.misfits for name in found.twin))
    switched_at = functools.cache(lambda: _switched((type(reference), type(twin)), makers))
    for name, message, both_are_parameters in _disagreements(plan, models, frameworks):
        switched = switched_at() if both_are_parameters else (None, None)
        findings.append(CensusFinding(name, message, switched[0] or site(0, name), switched[1] or site(1, name)))
    findings += [CensusFinding(name, message, site(0, name), site(1, name))
                 for name, message in _made_otherwise(plan, models, frameworks)]
    compared = len(plan.entries) + len(problems) + len(weights)
    if fresh:
        drawn = _fresh_pairs(plan, reference, twin, frameworks)
        compared += len(drawn)
        findings += [CensusFinding(name, message, site(0, name), site(1, name)) for name, (left, right) in drawn.items()
                     if (message := drawn_otherwise(left, right, len(drawn))) is not None]
    return Census(plan, compared, tuple(findings), None if names is None else paired.modules, guesses, lone,
                  aside=aside, near=tuple(near), silent=paired.silent, doubtful=paired.doubtful)


class LoneBuffers:
    """Of one model, the buffers (and frozen parameters) that the other side has none of, as they were made: constants, while they
    stay so; and counters, whatever they count."""

    def __init__(self, framework: Framework, model: Any, names: Iterable[str]) -> None:
        entries = framework.entries(model)
        self._made = {name: framework.array(entries[name], copy=True) for name in names}

    def rests(self, name: str, array: np.ndarray | None) -> bool:
        """Whether it is one of them, and what it was. None: a gradient, which it has not."""
        if name not in self._made:
            return False
        made = self._made[name]
        return array is None or is_counter(made.shape, made.dtype.name) or np.array_equal(array, made.astype(array.dtype))


def each_once(census: Census, models: Models, frameworks: Frameworks, site: Callable[[int, str], Site | None]) -> Census:
    """The census with each pair of tensors in its plan once, under the first name that either side has for it: what is one tensor
    under several names on both sides is ordinary. On one side only it is a finding where it is trained, as its parts go different
    ways from the first update on, or where the other side holds different values; else a remark.

    site: (0 or 1, name of an entry there) -> the line that built its owner.
    """
    first = [first_names(framework, model) for framework, model in zip(frameworks, models, strict=True)]
    once: dict[tuple, Entry] = {}
    for entry in census.plan.entries.values():
        pair = first[0].get(entry.source, entry.source), first[1].get(entry.target, entry.target), entry.rows
        if pair not in once or entry.source == pair[0]:  # its layout is that of the layers of this name
            once[pair] = entry
    tied = [_several(once, side) for side in (0, 1)]
    entries: dict[str, Entry] = {}
    for (ours, theirs, rows), entry in once.items():
        one_sided = ours in tied[0] or theirs in tied[1]
        entry = entry if one_sided or entry.target is None else replace(entry, source=ours, target=theirs)
        entries[f"{entry.source}[{rows}]" if rows else entry.source] = entry
    findings, guesses, apart = [], [], set()
    for side, groups in enumerate(tied):
        for group in groups.values():
            names = [entry.source for entry in group]
            apart.update(names)
            others = some(names[:-1])
            said = (say("one tensor with {names} in the twin, a tensor of its own in the reference", names=others) if side else
                    say("one tensor with {names} in the reference, a tensor of its own in the twin", names=others))
            if _parts_ways(group, 1 - side, models, frameworks):
                findings.append(CensusFinding(names[-1], said, site(0, group[-1].source), site(1, group[-1].target)))
            else:
                guesses.append(say("{name}: {what}; all hold the same and are not trained", name=names[-1], what=said))
    return replace(census, plan=Plan(entries, census.plan.derived), findings=(*census.findings, *findings),
                   guesses=(*census.guesses, *guesses), apart=frozenset(apart))


def own_weights(census: Census, models: Models, frameworks: Frameworks, site: Callable[[int, str], Site | None]) -> Census:
    """The census with what there is to say of the weights that the two came with, before either is given others.

    Two programs do not draw a tensor of equal numbers by chance. Where most tensors are equal somebody has loaded them, and those
    that are not are findings. Constants tell nothing: both frameworks start biases from zeros.
    """
    held = [framework.entries(model) for framework, model in zip(frameworks, models, strict=True)]

    def both(entry: Entry) -> tuple[np.ndarray, np.ndarray]:
        return (entry.piece(frameworks[0].array(held[0][entry.source], copy=False)),
                np.asarray(entry.to_torch(frameworks[1].array(held[1][entry.target], copy=False))))

    equal, others = 0, []
    for entry in census.plan.entries.values():
        if entry.target is None or entry.source in census.apart:
            continue
        left, right = both(entry)
        if not is_float(left.dtype) or not is_float(right.dtype) or left.size < 2 or np.ptp(left) == np.ptp(right) == 0:
            continue
        if np.array_equal(left, right):
            equal += 1
        else:
            others.append(entry)
    total = equal + len(others)
    if 2 * equal <= total:
        said = say("both were given the reference's weights; those that the twin came with were not looked at (--own-weights "
                   "compares each side with its own)")
        return replace(census, guesses=(*census.guesses, said)) if total else census
    findings = tuple(CensusFinding(
        entry.source,
        say("{equal} of {total} tensors of the two came equal, as somebody converted them, and this one did not: {likeness}",
            equal=equal, total=total, likeness=likeness or say("other values")),
        site(0, entry.source), site(1, entry.target)) for entry in others for likeness in [resemblance(*both(entry))])
    return replace(census, compared=census.compared + total, findings=(*census.findings, *findings))


def tables(census: Census, models: Models, frameworks: Frameworks, site: Callable[[int, str], Site | None],
           redrawn: Callable[[int], Any] | None) -> Census:
    """The census with the tables that the two make otherwise: an index of positions, an encoding of them, a schedule.

    A buffer that comes out alike from every seed is part of the program, not of its weights; that the twin is given the
    reference's would hide what it makes itself. Constants are none (they are places for what is loaded or counted), nor is what
    only one side makes alike; what is not finite, a mask has for the other's large number.

    redrawn: side -> the module, built from another seed; asked where something differs.
    """
    if redrawn is None:
        return census
    buffers = [frameworks[side].buffers(model) for side, model in enumerate(models)]
    held = [framework.entries(model) for framework, model in zip(frameworks, models, strict=True)]

    def both(entry: Entry, held: list[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        return (np.asarray(entry.piece(frameworks[0].array(held[0][entry.source], copy=False))),
                np.asarray(entry.to_torch(frameworks[1].array(held[1][entry.target], copy=False))))

    others = [entry for entry in census.plan.entries.values()
              if entry.target is not None and entry.source not in census.apart and entry.source in buffers[0]
              and entry.target in buffers[1] and _are_other_tables(*both(entry, held))]
    again = [redrawn(side) for side in (0, 1)] if others else [None]
    if None in again:
        return census
    anew = [framework.entries(model) for framework, model in zip(frameworks, again, strict=True)]
    findings = []
    for entry in others:
        arrays = both(entry, held)
        if all(np.array_equal(one, other, equal_nan=True) for one, other in zip(arrays, both(entry, anew), strict=True)):
            worst = deviation(*(array.astype(np.float64) for array in arrays))
            findings.append(CensusFinding(entry.source, say(
                "each of the two makes this buffer itself, of no random numbers, and not alike: at {index} {left} in the "
                "reference, {right} in the twin; the twin is given the reference's here", index=worst.index,
                left=f"{arrays[0][worst.index]:g}", right=f"{arrays[1][worst.index]:g}"),
                _made_at(frameworks[0], models[0], entry.source) or site(0, entry.source),
                _made_at(frameworks[1], models[1], entry.target) or site(1, entry.target)))
    return replace(census, findings=(*census.findings, *findings))


def _made_at(framework: Framework, model: Any, name: str) -> Site | None:
    """The line of the user's that registers a buffer."""
    owner, _, variable = name.rpartition(".")
    return attribute_site(dict(framework.modules(model))[owner], variable)


def _are_other_tables(reference: np.ndarray, twin: np.ndarray) -> bool:
    """By more than the rounding of float32, in which they are made, may grow to."""
    if reference.shape != twin.shape or {reference.dtype.kind, twin.dtype.kind} - set("fiub"):
        return False
    reference, twin = reference.astype(np.float64), twin.astype(np.float64)
    both = np.isfinite(reference) & np.isfinite(twin)
    reference, twin = reference[both], twin[both]
    if reference.size < 2 or not np.ptp(reference) or not np.ptp(twin):
        return False
    return bool(np.abs(reference - twin).max() > RESOLUTION[4] * np.abs(reference).max())


def _several(once: Mapping[tuple, Entry], side: int) -> dict[str, list[Entry]]:
    """Name of a tensor of that side -> its entries, where the other side has several tensors for it."""
    groups: dict[str, list[Entry]] = {}
    for pair, entry in once.items():
        if entry.target is not None:
            groups.setdefault(pair[side], []).append(entry)
    return {name: group for name, group in groups.items() if len({(entry.source, entry.target)[1 - side] for entry in group}) > 1
            and len({entry.rows for entry in group}) == 1}


def _parts_ways(group: list[Entry], side: int, models: Models, frameworks: Frameworks) -> bool:
    """Whether the several tensors of that side that are one on the other are trained, or differ."""
    held = [framework.entries(model) for framework, model in zip(frameworks, models, strict=True)]
    if any(frameworks[0].requires_grad(held[0][entry.source]) or frameworks[1].requires_grad(held[1][entry.target])
           for entry in group):
        return True
    arrays = [frameworks[side].array(held[side][entry.target if side else entry.source], copy=False) for entry in group]
    return side == 0 and any(deviation(arrays[0], array).distance for array in arrays[1:])  # the twin's are given the reference's


def first_names(framework: Framework, model: Any) -> dict[str, str]:
    """Each name of a parameter or buffer -> the first name of the same tensor."""
    names = {id(tensor): name for name, tensor in (framework.buffers(model) | framework.parameters(model)).items()}
    return {name: names.get(id(tensor), name) for name, tensor in framework.entries(model).items()}


def _of_weight(problems: Iterable[Problem], plan: Plan, models: Models, frameworks: Frameworks) -> tuple[list[Problem], Lone]:
    """The problems that keep two programs from being the same, and which tensors the others are of.

    Not of weight: a second name of a tensor that has a partner; a frozen scale of ones or bias of zeros of a norm, which the other
    side does without; and a buffer or frozen table of the user's own class that the other side makes where it needs it, or not at
    all: what it does is seen in what it is used for, and that it moves, when it does. So is what a library's class counts
    (`n_averaged` of an average), for which the other side has a number of python's.
    """
    first = [first_names(framework, model) for framework, model in zip(frameworks, models, strict=True)]
    paired = [{first[0].get(entry.source) for entry in plan.entries.values() if entry.target is not None},
              {first[1].get(entry.target) for entry in plan.entries.values()}]
    named = {name for entry in plan.entries.values() for name in (entry.source, entry.target)}
    own = [_own_constants(framework, model) | _neutral(framework, model) | _counters(framework, model)
           for framework, model in zip(frameworks, models, strict=True)]
    kept, lone = [], (set(), set())
    for problem in problems:
        sides = [side for side in (0, 1) if problem.name in first[side]]
        if len(sides) == 1 and problem.name not in named:
            side = sides[0]
            if first[side][problem.name] in paired[side]:
                continue
            if problem.name in own[side]:
                lone[side].add(problem.name)
                continue
        kept.append(problem)
    return kept, (frozenset(lone[0]), frozenset(lone[1]))


def _counters(framework: Framework, model: Any) -> set[str]:
    kinds = {name: framework.shape_dtype(buffer) for name, buffer in framework.buffers(model).items()}
    return {name for name, (shape, dtype) in kinds.items() if is_counter(shape, dtype)}


def is_counter(shape: tuple[int, ...], dtype: str) -> bool:
    """Whether a buffer like this holds one whole number."""
    return math.prod(shape) == 1 and dtypes.kind(dtype) in ("int", "uint")


def _own_constants(framework: Framework, model: Any) -> set[str]:
    """Buffers and frozen parameters of the modules that are not of a library."""
    theirs = {path for path, module in framework.modules(model)
              if type(module).__module__.partition(".")[0] not in ("torch", "paddle")}
    frozen = {name for name, parameter in framework.parameters(model).items() if not framework.requires_grad(parameter)}
    return {name for name in framework.buffers(model).keys() | frozen if name.rpartition(".")[0] in theirs}


def _neutral(framework: Framework, model: Any) -> set[str]:
    """Frozen scales of ones and biases of zeros of the library's norms."""
    found = set()
    norms = {path for path, module in framework.modules(model) if "norm" in Node(path, module).kind}
    for name, parameter in framework.parameters(model).items():
        owner, _, own = name.rpartition(".")
        if owner in norms and not framework.requires_grad(parameter):
            array = framework.array(parameter, copy=False)
            if (array == (0 if own == "bias" else 1)).all():
                found.add(name)
    return found


def _made_otherwise(plan: Plan, models: Models, frameworks: Frameworks) -> Iterator[tuple[str, str]]:
    """Buffers that one side at least keeps out of its state dict: no checkpoint will put them right, so each side's own have to be
    the same.

    Where floats agree but for rounding, the reference's are carried over like weights. A table of n rows is made of numbers up to n
    (positions times frequencies, a grid of offsets), each rounded in float32: n eps of its scale, by a few operations.
    """
    unsaved = [framework.unsaved(model) for framework, model in zip(frameworks, models, strict=True)]
    held = [framework.entries(model) for framework, model in zip(frameworks, models, strict=True)]
    for entry in plan.entries.values():
        if entry.target is None or not (entry.source in unsaved[0] or entry.target in unsaved[1]):
            continue
        left = frameworks[0].array(held[0][entry.source], copy=False)
        right = entry.to_torch(frameworks[1].array(held[1][entry.target], copy=False))
        found = deviation(left, right)
        rounding = ACCURACY * max(left.shape, default=1) * eps_of(np.dtype(np.float32)) * found.scale
        if not found.distance <= (rounding if is_float(left.dtype) else 0.0):
            yield entry.source, found.trouble or say(
                "no state dict holds it, so each side keeps what it made: {left:.6g} in the reference, {right:.6g} in the twin, at "
                "{index}", left=found.reference, right=found.twin, index=found.index)


def _disagreements(plan: Plan, models: Models, frameworks: Frameworks) -> Iterator[tuple[str, str, bool]]:
    """Entries that fit, but are not trained alike: a parameter here and a buffer there, a frozen one; and whether both sides have a
    parameter."""
    kinds = []
    for framework, model in zip(frameworks, models, strict=True):
        kind = dict.fromkeys(framework.buffers(model), say("a buffer"))
        for name, parameter in framework.parameters(model).items():
            kind[name] = say("a trained parameter") if framework.requires_grad(parameter) else say("a frozen parameter")
        kinds.append({name: kind[first] for name, first in first_names(framework, model).items() if first in kind})
    for entry in plan.entries.values():
        if entry.target is not None:
            left, right = kinds[0].get(entry.source), kinds[1].get(entry.target)
            if left != right:
                told = say("{left} in the reference, {right} in the twin", left=left or say("no entry"),
                           right=right or say("no entry"))
                yield entry.source, told, {left, right} == {say("a trained parameter"), say("a frozen parameter")}


def _switched(*makers: tuple[type, type] | None) -> tuple[Site | None, Site | None]:
    """The lines of two constructors that freeze something, or train it; those of the first of these classes that do."""
    for kinds in filter(None, makers):
        codes = [code_of(kind.__init__) for kind in kinds]
        functions = [function_of(code) if code is not None else None for code in codes]
        if None not in functions:
            place = next(switches(codes[0].co_filename, lines_of(functions[0]), codes[1].co_filename, lines_of(functions[1])), None)
            if place is not None:
                return place.reference, place.twin
    return None, None


def _fresh_pairs(plan: Plan, reference: Any, twin: Any,
                 frameworks: tuple[Framework, Framework]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The parameters that both sides have, as each drew them."""
    left, right = ({name: framework.array(parameter, copy=False) for name, parameter in framework.parameters(model).items()}
                   for framework, model in zip(frameworks, (reference, twin), strict=True))
    return {entry.source: (left[entry.source], right[entry.target])
            for entry in plan.entries.values() if entry.source in left and entry.target in right}

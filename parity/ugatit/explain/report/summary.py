"""The conclusions: what a reader asks of the runs, read off their results and nothing else."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.campaign.runs import Done, key
from parity.messages import Message, say, several, term
from parity.numbers.noise import M
from parity.trace.source import Site
from parity.ugatit import faults
from parity.ugatit.explain import attribution, course, symptom, tasks
from parity.ugatit.explain import start as starting
from parity.ugatit.explain.attribution import Effect, Pair
from parity.ugatit.explain.report import story
from parity.ugatit.explain.start import Start
from parity.ugatit.explain.tasks import Scope

STUCK, LEARNED = 0.1, 0.5  # of the CAM loss below chance: no more than this, and no less
SHOWN = 1e-3  # interactions that change a loss by less are counted, not told


@dataclass(frozen=True)
class Lines:
    """A line of the reference and its place; the twin's line with the fault, and repaired. Pieces may be None."""

    reference: str | None
    reference_place: str | None
    faulty: str | None
    repaired: str | None
    twin_place: str | None


@dataclass(frozen=True)
class Part:
    """One fault, with all that was measured of it.

    effect: on the losses. cosines: (lowest, highest) of the first update and the reference's, of generators and discriminators.
    errors: network -> see `networks.run`. network: the one on which it acts most, None where a forward and backward show nothing.
    first: where the harness places it in the first training step (a finding's JSON), None where it does not show there.
    """

    name: str
    what: str
    fix: str
    seen_in: str
    effect: Effect
    cosines: dict[str, tuple[float, float]]
    errors: dict[str, dict]
    network: str | None
    first: dict | None
    lines: tuple[Lines, ...]
    failure: str | None


class Explanation:
    """All results of a scope."""

    def __init__(self, scope: Scope, results: Mapping[str, Done]) -> None:
        self.scope = scope
        self._results = results

    def of(self, task: Mapping[str, Any]) -> Any:
        return self._results[key(task, tasks.do)].result

    @property
    def cpu_seconds(self) -> float:
        """Of all runs together, those found in the folder included."""
        return sum(done.cpu_seconds for done in self._results.values())

    # The first step, recorded whole

    @functools.cached_property
    def _places(self) -> dict[tuple[str, ...], dict]:
        task = tasks.place(self.scope)
        return {tuple(names): found for names, found in zip(task["names"], self.of(task), strict=True)}

    @property
    def faulty(self) -> dict:
        """The first step of the twin with all faults: see `ladder.run`."""
        return self._places[self.scope.names]

    @property
    def healthy(self) -> dict:
        """The same with all of them repaired."""
        return self._places[()]

    @property
    def verdict(self) -> str:
        return self.faulty["verdict"]

    # Losses

    @functools.cached_property
    def reference(self) -> attribution.Course:
        return self.of(tasks.noise(self.scope, "float64", None))["losses"]

    @functools.cached_property
    def draws(self) -> dict[str, list[attribution.Course]]:
        return {lane: [self.of(tasks.noise(self.scope, lane, draw))["losses"] for draw in range(tasks.DRAWS)]
                for lane in ("float64", "float32")}

    def course(self, names: Sequence[str], start: Start | None = None) -> attribution.Course:
        return self.of(tasks.losses(self.scope, names, start))["losses"]

    def envelope(self, lane: str, loss: str) -> np.ndarray:
        return attribution.envelope(self.draws[lane], self.of(tasks.noise(self.scope, lane, None))["losses"], loss)

    @functools.cached_property
    def effects(self) -> list[Effect]:
        scope = self.scope
        sets = [(), *((name,) for name in scope.every), scope.names, *(scope.without(name) for name in scope.names)]
        return attribution.effects(
            scope.every, {names: self.course(names) for names in sets}, self.reference, self.draws["float64"],
            self.of(tasks.noise(scope, "float32", None))["losses"], self.draws["float32"],
            {name: self.course((name,), scope.other) for name in scope.every},
            self.of(tasks.noise(scope, "float64", None, scope.other))["losses"], whole=scope.names)

    @functools.cached_property
    def pairs(self) -> list[Pair]:
        """Those that mask or amplify, the largest change first; all from the second start."""
        names, other_start = self.scope.names, self.scope.other
        together = {(one, other): self.of(tasks.pair(self.scope, one, other))["losses"]
                    for number, one in enumerate(names) for other in names[number + 1:]}
        alone = {names: self.course(names, other_start) for names in [(), *((name,) for name in names)]}
        reference = self.of(tasks.noise(self.scope, "float64", None, other_start))["losses"]
        draws = [self.of(tasks.pair_noise(self.scope, draw))["losses"] for draw in range(tasks.DRAWS)]
        found = attribution.pairs(alone, together, reference, draws)
        return sorted((pair for pair in found if pair.interaction), key=lambda pair: -abs(pair.together - pair.alone))

    @property
    def told_pairs(self) -> list[Pair]:
        return [pair for pair in self.pairs if abs(pair.together - pair.alone) >= SHOWN]

    def part_errors(self, names: Sequence[str]) -> dict[str, dict]:
        """Network -> see `networks.run`."""
        return self.of(tasks.errors(self.scope, names))

    # What is left

    @property
    def residual(self) -> float:
        """The largest relative difference of a loss, over all steps, with every fault repaired; and of the noise draws."""
        return attribution.distance(self.course(()), self.reference, self.reference)

    @property
    def noise(self) -> float:
        return max(attribution.distance(draw, self.reference, self.reference) for draw in self.draws["float64"])

    @property
    def fidelity(self) -> dict[str, float] | None:
        """Relative difference, at the first step and the largest of all, of the twin with the nine in it from the official code
        with the nine built in ("official", float64) and from the real port ("port", float32); None where they were not recorded."""
        if self.scope.names != faults.PORT2020 or not self.scope.start.is_recorded:
            return None
        recorded, found = starting.recorded(), self.course(self.scope.names)
        result = {}
        for name, run in (("official", "nine_faults_float64"), ("port", "port")):
            other = {loss: recorded[f"{loss}/{run}"] for loss in attribution.LOSSES}
            result[f"{name}_first"] = attribution.distance(found, other, other, 1)
            result[name] = attribution.distance(found, other, other)
        return result

    # The symptom

    def long(self, side: str, names: Sequence[str] = ()) -> dict:
        return self.of(tasks.long_run(self.scope, side, names))

    @functools.cached_property
    def settled(self) -> dict[str, float]:
        """Where the CAM loss arrives: of the "reference" and of each fault set of the long runs ("healthy", "gmp_G", "all")."""
        runs = {"reference": self.long("reference")} | {self.label(names): self.long("twin", names) for names in self.scope.long}
        return {name: symptom.settled(run["losses"]["cam"]) for name, run in runs.items()}

    def label(self, names: Sequence[str]) -> str:
        return "healthy" if not names else "all" if len(names) > 1 and tuple(names) == self.scope.names else " and ".join(names)

    def title(self, label: str) -> Message:
        """The program of that label, for readers."""
        return {"reference": say("PyTorch original"), "healthy": say("Paddle twin, healthy"),
                "all": say("Paddle twin, all {count} faults", count=len(self.scope.names))}.get(
                    label, say("Paddle twin, only {fault}", fault=label))

    @property
    def recorded_cam(self) -> dict[str, np.ndarray]:
        """The same losses as the real programs wrote them down: official, port, port_repaired; empty where there are none."""
        if not self.scope.start.is_recorded or self.scope.long_steps != tasks.LONG:
            return {}
        return {name: starting.recorded()[f"cam/{name}"] for name in ("official", "port", "port_repaired")}

    @functools.cached_property
    def culprit(self) -> str | None:
        """The one fault that alone keeps the CAM loss at chance, where the healthy program and the reference learn; else None."""
        chance, settled = course.CHANCE, self.settled
        if max(settled["reference"], settled.get("healthy", 0.0)) > chance - LEARNED:
            return None
        stuck = [names[0] for names in self.scope.long if len(names) == 1 and settled[self.label(names)] > chance - STUCK]
        return stuck[0] if len(stuck) == 1 else None

    @property
    def features(self) -> dict[str, dict[str, float]]:
        return self.of(tasks.features(self.scope))

    @property
    def iterators(self) -> list[dict]:
        return self.of(tasks.iterator_trap())

    # The faults

    @functools.cached_property
    def parts(self) -> list[Part]:
        """The largest effect first."""
        return [self._part(effect) for effect in self.effects]

    def _part(self, effect: Effect) -> Part:
        fault = faults.CATALOGUE[effect.name]
        errors, run = self.part_errors((fault.name,)), self.of(tasks.losses(self.scope, (fault.name,)))
        acting = {network: found for network, found in errors.items() if found["place"]}
        network = max(acting, key=lambda name: max(acting[name]["output"]["relative"], acting[name]["gradient"]["relative"]),
                      default=None)
        first = self._places[(fault.name,)]["first"]
        cosines = {kind: _range([value for name, value in run["cosines"].items() if name.startswith(kind)])
                   for kind in ("gen", "dis")}
        failure = run["failure"] or next((found["failure"] for found in errors.values() if found["failure"]), None)
        what = story.NINE.get(fault.name, say(fault.what))
        return Part(fault.name, what, say(fault.fix), fault.seen_in, effect, cosines, errors, network,
                    first, _lines(fault, first), failure)

    # In words

    def sentence(self) -> Message:
        """The answer in one sentence, as far as the runs bear it out."""
        if self.verdict != "diverged":
            return say("No divergence to explain: with {faults} in it the twin is the same computation.",
                       faults=_all(self.scope.names))
        if self.culprit is None:
            return say("The port diverges at {stage}; no single fault of those followed for {steps} steps keeps the CAM loss at "
                       "chance alone. {left}", stage=term(self.faulty["first"]["stage"]), steps=self.scope.long_steps,
                       left=self.left())
        values = {"what": say("One wrong line") if self.culprit != "gmp_G" else
                  say("One line that averages where it should take the maximum"), "fault": self.culprit, "left": self.left(),
                  "stuck": self.settled[self.culprit], "chance": course.CHANCE, "learned": self.settled["reference"],
                  "others": several("{count} smaller fault", "{count} smaller faults", len(self.scope.names) - 1)}
        if len(self.scope.names) > 1:
            return say("{what} ({fault}) kept the loss of the 2020 Paddle port from falling: its attention loss stays at "
                       "{stuck:.2f}, no better than guessing ({chance:.2f}), where the PyTorch original reaches {learned:.2f}; "
                       "{others} made the other losses differ. {left}", **values)
        return say("{what} ({fault}) kept the loss of the 2020 Paddle port from falling: its attention loss stays at "
                   "{stuck:.2f}, no better than guessing ({chance:.2f}), where the PyTorch original reaches {learned:.2f}. {left}",
                   **values)

    def left(self) -> Message:
        """What stays unexplained, in a sentence with the number."""
        number = say("over {steps} float64 steps the losses differ by at most {residual:.1g} of their size, rounding alone makes "
                     "{noise:.1g}", steps=len(self.reference["G_loss"]), residual=self.residual, noise=self.noise)
        values = {"faults": _all(self.scope.names), "number": number, "verdict": term(self.healthy["verdict"])}
        if self.healthy["verdict"] == "same" and self.residual <= M * self.noise:
            return say("With {faults} repaired, Paddle and PyTorch compute the same: {number}.", **values)
        return say("With {faults} repaired, something is left UNEXPLAINED: {number}, and the first step is {verdict}.", **values)


def _range(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (float("nan"), float("nan"))


def _all(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else say("all {count} faults", count=len(names))


def _lines(fault: faults.Fault, first: dict | None) -> tuple[Lines, ...]:
    """Each edited line of the twin, before and after, beside the reference's: the one most like it in the function of the same
    name; where there is none (torch does it inside a library), the line that the harness named, once."""
    named = (first or {}).get("lines", {}).get("reference") or {}
    spare = (named.get("text"), f"{named['file']}:{named['line']}" if named else None)
    edits = [edit.shown() for edit in fault.edits] or [(None, None, None)]
    found = [_counterpart(edit, repaired) for edit, (_, repaired, _) in zip(fault.edits, edits, strict=False)]
    if not any(found):
        found = [spare, *found[1:]]
    return tuple(Lines(*(reference or (None, None)), faulty, repaired, where)
                 for reference, (where, repaired, faulty) in zip(found, edits, strict=True))


def _counterpart(edit: faults.Edit, repaired: str) -> tuple[str, str] | None:
    """(line, place) in the reference: the twins have the same files, classes and names."""
    try:
        function = replace(edit, where=edit.where.replace("paddle_impl", "torch_ref")).function
    except (faults.EditError, ImportError):
        return None
    lines, start = inspect.getsourcelines(function)
    close = difflib.get_close_matches(repaired, [line.strip() for line in lines], 1, cutoff=0.4)
    if not close:
        return None
    number = next(number for number, line in enumerate(lines) if line.strip() == close[0])
    return close[0], str(Site(inspect.getsourcefile(function), start + number))

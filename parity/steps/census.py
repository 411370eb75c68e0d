"""The first rung of a training: networks, their entries, and which optimizer holds which of them, with which settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.files import InputError
from parity.messages import Message, say, some
from parity.numbers.arrays import Deviation, Verdict
from parity.steps.programs import Programs
from parity.trace.events import Key
from parity.trace.source import Site
from parity.verdict.findings import Finding, Order, Report

PER_PARAMETER = ("lr", "weight_decay")  # settings that a parameter may have of its own


def judge_census(both: Programs, report: Report) -> None:
    """Add to the report what the two programs do not have alike before they run, and count what was looked at."""
    _Census(both, report).judge()
    report.census = report.compared


class _Census:
    def __init__(self, both: Programs, report: Report) -> None:
        self._both, self._report = both, report

    def judge(self) -> None:
        """Parameters and buffers of every network, and which optimizer holds which of them, with which settings."""
        for side, other in ((0, 1), (1, 0)):
            for name in self._both.programs[side].networks.keys() - self._both.programs[other].networks.keys():
                self._finding(f"{name}.", f"a network in the {('reference', 'twin')[side]} only", *(
                    self._both.sites[s].of(self._both.programs[s].networks.get(name)) for s in (0, 1)))
        for network, census in self._both.censuses.items():
            self._report.counts[Verdict.SAME] += census.compared - len(census.findings)
            for found in census.findings:
                self._finding(f"{network}.{found.name}", found.message, found.reference, found.twin)
        self._tied()
        self._scalers()
        self._decorated()
        sides = [self._held(side) for side in (0, 1)]
        for name in sorted(sides[0].keys() | sides[1].keys()):
            sites = [self._both.sites[side].of(self._both.optimizers[side].get(name)) for side in (0, 1)]
            if name not in sides[0] or name not in sides[1]:
                only = say("an optimizer in the reference only") if name in sides[0] else say("an optimizer in the twin only")
                self._finding(f"{name}.", only, *sites)
                continue
            for setting, message in (*self._settings(name), *self._schedule(name)):
                self._report.counts[Verdict.SAME] += message is None
                if message is not None:
                    self._finding(f"{name}.{setting}", message, *sites)
            expected, found = sides[0][name], sides[1][name]
            self._report.counts[Verdict.SAME] += len(expected & found)
            for side, group in ((say("the reference"), expected - found), (say("the twin"), found - expected)):
                if group:
                    self._finding(f"{name}.parameters", say(
                        "{count} of {total} parameters held by the optimizer in {side} only: {names}", count=len(group),
                        total=len(expected), side=side, names=some(sorted(group))), *sites)

    def _settings(self, name: str) -> Iterator[tuple[str, Message | None]]:
        """(setting, how the two optimizers of this name differ in it, if they do); of what a parameter may have of its own,
        parameter by parameter."""
        held = [one[name] for one in self._both.optimizers]
        frameworks = self._both.frameworks
        kinds = [framework.optimizer_kind(one) for framework, one in zip(frameworks, held, strict=True)]
        known = None not in kinds  # of one that is not, only the result can tell
        yield "kind", _differ(*kinds) if known and kinds[0] != kinds[1] else None
        settings = [framework.optimizer_settings(one) for framework, one in zip(frameworks, held, strict=True)]
        rates = [self._rates(side, name) for side in (0, 1)]
        both = [(one, rates[0][one], rates[1][one]) for one in rates[0] if one in rates[1]]
        for setting in sorted(settings[0].keys() | settings[1].keys() if known else settings[0].keys() & settings[1].keys()):
            left, right = (values.get(setting) for values in settings)
            if setting not in PER_PARAMETER or not both:
                yield setting, None if left == right else _differ(left, right)
                continue
            place = PER_PARAMETER.index(setting)
            # A rate may be a product of two numbers on one side: one rounding.
            odd = [(one, ours[place], theirs[place]) for one, ours, theirs in both
                   if abs(ours[place] - theirs[place]) > np.finfo(float).eps * abs(ours[place])]
            if not odd:
                yield setting, None
            for pair in dict.fromkeys((ours, theirs) for _, ours, theirs in odd):
                names = [one for one, *numbers in odd if tuple(numbers) == pair]
                yield setting, _differ(*pair) if len(names) == len(both) else say(
                    "{left} in the reference, {right} in the twin for {count} of {total} parameters: {names}", left=pair[0],
                    right=pair[1], count=len(names), total=len(both), names=some(names))

    def _schedule(self, name: str) -> Iterator[tuple[str, Message | None]]:
        """How the learning rates of both sides part over the declared horizon, if they do."""
        calls = self._both.subject.horizon
        curves = [program.curve(name, calls) for program in self._both.programs] if calls else [None, None]
        if curves == [None, None]:
            return
        if None in curves:
            self._report.remarks.append(say(
                "{optimizer}: only {side} has a scheduler for the learning rate, which is compared in the steps that are run",
                optimizer=name, side=say("the twin") if curves[0] is None else say("the reference")))
            return
        yield "schedule", _parting(*curves)

    def _rates(self, side: int, optimizer: str) -> dict[str, tuple[float, float]]:
        """The reference's name -> (learning rate, weight decay) of the parameters that an optimizer holds."""
        framework = self._both.frameworks[side]
        names = {id(parameter): name for name, parameter in self._both.parameters(side).items()}
        found = {}
        for parameter, *rates in framework.optimizer_rates(self._both.optimizers[side][optimizer]):
            name = names.get(id(parameter))
            if name is not None:
                found[self._both.reference_name(side, name)] = tuple(rates)
        return found

    def _scalers(self) -> None:
        """Gradient scalers: which side has one that is on, from what scale it starts, and by what it goes."""
        both = self._both
        found = [{name: {**framework.scaler_state(one), **framework.scaler_settings(one)} for name, one in program.scalers.items()
                  if framework.scaler_state(one)} if hasattr(program, "scalers") else {}
                 for framework, program in zip(both.frameworks, both.programs, strict=True)]
        for name in sorted(found[0].keys() | found[1].keys()):
            sites = [both.sites[side].of(both.programs[side].scalers.get(name)) for side in (0, 1)]
            ours, theirs = (held.get(name) for held in found)
            if ours is None or theirs is None:
                self._finding(f"{name}.", say("a gradient scaler in the twin only") if ours is None else
                              say("a gradient scaler in the reference only"), *sites)
                continue
            for setting in sorted(ours.keys() | theirs.keys()):
                left, right = ours.get(setting), theirs.get(setting)
                self._report.counts[Verdict.SAME] += left == right
                if left != right:
                    self._finding(f"{name}.{setting}", _differ(left, right), *sites)

    def _decorated(self) -> None:
        """Networks whose weights a GPU alone would make half."""
        both = self._both
        for name, model in both.programs[1].networks.items():
            made = both.frameworks[1].decorated(model)
            if made is None or name not in both.programs[0].networks:
                continue
            reference = both.programs[0].networks[name]
            dtypes = {both.frameworks[0].shape_dtype(one)[1] for one in both.frameworks[0].parameters(reference).values()}
            if made.dtype in dtypes:  # both are half: here the twin's are not, and what it computes is none of it
                raise InputError(f"{both.subject.name}, {name}: expected weights in full precision, found {made.dtype} on both "
                                 f"sides, in which Paddle computes on a GPU alone; build both without it, or use --device gpu")
            how = say("on a GPU paddle.amp.decorate makes the twin's weights {dtype}, with master weights in full precision; the "
                      "reference's stay in full precision", dtype=made.dtype) if made.master_weights else say(
                "on a GPU paddle.amp.decorate makes the twin's weights {dtype}, without master weights: updates are rounded to it; "
                "the reference's stay in full precision", dtype=made.dtype)
            self._finding(f"{name}.weights", how, both.sites[0].of(reference), Site(*made.place))

    def _tied(self) -> None:
        """Which entries are one and the same tensor: tied weights, a network that stands twice in a program."""
        groups = [self._shared(side) for side in (0, 1)]
        for name in groups[0]:
            ours, theirs = groups[0][name], groups[1][name]
            if ours == theirs or name != min(ours | theirs):  # once for all of a group
                continue
            if ours - theirs:
                self._finding(name, say("one tensor with {names} in the reference, a tensor of its own in the twin",
                                                       names=some(sorted(ours - theirs))), None, None)
            if theirs - ours:
                self._finding(name, say("one tensor with {names} in the twin, a tensor of its own in the reference",
                                                       names=some(sorted(theirs - ours))), None, None)

    def _shared(self, side: int) -> dict[str, set[str]]:
        """The reference's name of each entry that both sides have -> the names of all entries that are this tensor."""
        framework = self._both.frameworks[side]
        tensors: dict[str, int] = {}
        for network, plan in self._both.plans.items():
            held = framework.entries(self._both.programs[side].networks[network])
            for entry in plan.entries.values():
                own = entry.target if side else entry.source
                if entry.target is not None and not entry.rows and own in held:
                    tensors[f"{network}.{entry.source}"] = id(held[own])
        same: dict[int, set[str]] = {}
        for name, tensor in tensors.items():
            same.setdefault(tensor, set()).add(name)
        return {name: same[tensor] for name, tensor in tensors.items()}

    def _held(self, side: int) -> dict[str, set[str]]:
        """Optimizer -> the reference's names of what it holds; a tensor that is no parameter of a network counts as foreign."""
        framework = self._both.frameworks[side]
        names = {id(parameter): name for name, parameter in self._both.parameters(side).items()}
        # Paddle lists a batch norm's running statistics among its parameters, frozen: an optimizer holds and skips them.
        skipped = {id(value) for model in self._both.programs[side].networks.values() for value in framework.buffers(model).values()
                   if framework.is_parameter(value) and not framework.requires_grad(value)}
        held: dict[str, set[str]] = {}
        for optimizer_name, optimizer in self._both.optimizers[side].items():
            held[optimizer_name] = set()
            for number, parameter in enumerate(framework.optimizer_parameters(optimizer)):
                if id(parameter) in skipped:
                    continue
                name = names.get(id(parameter), f"foreign tensor {number}")
                held[optimizer_name].add(self._both.reference_name(side, name))
        return held

    def _finding(self, name: str, message: str, reference: Site | None, twin: Site | None) -> None:
        owner, _, variable = name.rpartition(".")
        key = Key("census", 0, None, owner, 0, "", 0, variable, 0)
        self._report.counts[Verdict.DIVERGED] += 1
        self._report.findings.append(Finding(self._report.subject, self._both.lane, "free", key, Verdict.DIVERGED, Order.census(0),
                                             Deviation(float("inf"), trouble=message), reference=reference, twin=twin))


def _differ(reference: Any, twin: Any) -> Message:
    return say("{left} in the reference, {right} in the twin", left=reference, right=twin)


def _parting(reference: list[tuple[float, ...]], twin: list[tuple[float, ...]]) -> Message | None:
    """Where two curves of learning rates part. One that multiplies on rounds anew at each call, at the size of its largest rate:
    ten roundings a call are allowed, as many as torch's recursion of cosines has operations."""
    largest = max(max(rates) for rates in reference)
    for call, (ours, theirs) in enumerate(zip(reference, twin, strict=False)):
        if len(ours) != len(theirs) or any(abs(one - other) > 10 * (call + 1) * np.finfo(float).eps * largest
                                           for one, other in zip(ours, theirs, strict=True)):
            return say("the schedules part after call {call} of {calls}: {left} in the reference, {right} in the twin", call=call,
                       calls=len(reference) - 1, left=_rates(ours), right=_rates(theirs))
    if len(reference) != len(twin):
        return say("the schedule of the reference ends after {left} calls, that of the twin after {right}", left=len(reference) - 1,
                   right=len(twin) - 1)
    return None


def _rates(rates: tuple[float, ...]) -> str:
    return " and ".join(f"{rate:.9g}" for rate in rates)

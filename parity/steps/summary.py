"""What a reader asks of a training that was followed: the verdict, the headline, figures step by step, the ladder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from parity.messages import Message, say, several, term, together
from parity.numbers.noise import M
from parity.report.circumstances import Circumstances
from parity.report.words import STAGES, agreed, divergence, explanations, short, undecided
from parity.steps.result import Curve, StepsReport
from parity.steps.runner import Followed, is_total
from parity.verdict.findings import RAISED, Counterfactual, Finding, merge

PHASE_STAGES = ("forward", "losses", "gradients", "update")


class Summary:
    """All lanes of one run. steps: how many were asked for. faults: the names of those injected."""

    def __init__(self, followed: Sequence[Followed], *, steps: int, faults: Sequence[str] = ()) -> None:
        self.followed, self.steps, self.faults = list(followed), steps, tuple(faults)
        self.circumstances = Circumstances()
        self.merged = merge(self.followed[0].result.report.subject, [each.result.report for each in self.followed])

    @property
    def verdict(self) -> str:
        return self.merged.verdict

    @property
    def first(self) -> Finding | None:
        return self.merged.first

    @property
    def counterfactual(self) -> Counterfactual | None:
        """What remains of the first step that diverged once its places are right, where that was asked and can be told."""
        return next((each.result.report.counterfactual for each in self.followed if each.result.report.counterfactual), None)

    @property
    def mode(self) -> str:
        return self.followed[0].result.mode

    @property
    def lanes(self) -> list[str]:
        return [each.lane for each in self.followed]

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.followed)

    @property
    def run(self) -> Message:
        """What was followed, in words."""
        done = min(each.result.steps for each in self.followed)
        count = say("{done} of {steps} steps", done=done, steps=self.steps) if done < self.steps else \
            several("{count} step", "{count} steps", done)
        if len(self.lanes) > 1:
            return say("{count}, {mode} run, {one} and {other} lanes", count=count, mode=term(self.mode), one=self.lanes[0],
                       other=self.lanes[1])
        return say("{count}, {mode} run, {lane} lane", count=count, mode=term(self.mode), lane=self.lanes[0])

    def sentence(self) -> Message:
        """The verdict in one sentence."""
        first = self.first
        if self.verdict == "undecided":
            return undecided(self.merged)
        if first is None:
            return say("The same training: {run}, {compared}.", run=self.run, compared=agreed(self.merged))
        return say("Diverged {when}, stage {stage}: {where}.", when=when(first), stage=term(first.key.stage),
                   where=divergence(first))

    def remarks(self) -> list[str]:
        """What is to be known of the run, sentence by sentence: what was guessed, which differences of the frameworks explain
        what, how fast rounding grows, and how far chaos went."""
        said = list(self.merged.remarks)
        said += explanations(self.merged)
        for each in self.followed:
            growth = each.result.growth
            if each.result.mode == "free" and growth:
                said.append(say("{lane}: a rounding difference of the losses grows by a factor of {growth:.3g} per step",
                                lane=each.lane, growth=growth))
            if each.result.judged_alone.get(self.first.key.step if self.first else None) == "diverged":
                said.append(say("The losses are those of the {mode} run, in which each side feeds itself. The ladder is of step "
                                "{step} made again from one state, modules given the reference's values (a replay) except by "
                                "those that only what follows can judge: what has grown in the one is not in the other",
                                mode=term(each.result.mode), step=self.first.key.step))
            chaotic = [step for step, verdict in each.result.judged_alone.items() if verdict == "same"]
            if chaotic:
                said.append(several(
                    "{lane}: values left the envelope at step {steps}; made from the twin's own state by both sides, that step is "
                    "the same: what has grown there is rounding",
                    "{lane}: values left the envelope at steps {steps}; made from the twin's own state by both sides, each of "
                    "these is the same: what has grown there is rounding",
                    len(chaotic), lane=each.lane, steps=", ".join(map(str, chaotic))))
        return said

    def rungs(self) -> list[dict]:
        """The ladder of the step in which the first divergence is; of all steps where there is none."""
        first = self.first
        phases = dict.fromkeys(phase for phase, _ in self.followed[0].subject.phases.values() if phase) or {None: None}
        ladder = [(None, "census"), (None, "data"), *((phase, stage) for phase in phases for stage in PHASE_STAGES),
                  (None, "state")]
        if first is None:
            within = self.merged.findings
        else:
            step = max(1, first.key.step)  # what the census finds is there before the first step
            within = [f for f in self.merged.findings if f.lane == first.lane and f.key.step in (first.key.step, step)]
        stopped = next((_rung(finding, ladder) for finding in within if finding.variable == RAISED), None)
        if not any(each.result.steps for each in self.followed):
            stopped = 0  # by the census
        rungs = []
        for number, (phase, stage) in enumerate(ladder):
            here = [finding for finding in within if _rung(finding, ladder) == number]
            broken = sum(finding.verdict.value == "diverged" for finding in here)
            over = stopped is not None and number > stopped
            worst = worst_multiple(here)
            rungs.append({"stage": stage, "phase": phase, "title": title(phase, stage), "broken": broken,
                          "meaning": STAGES[stage], "first": first is not None and number == _rung(first, ladder),
                          "status": "broken" if broken else "not run" if over else "good",
                          "worst": None if over or stage == "census" else worst,
                          "detail": None if over or stage == "census" else largest(worst)})
        return rungs

    def _repr_html_(self) -> str:
        """In a notebook: the page."""
        from parity.report.page import framed
        from parity.steps.picture import draw
        from parity.steps.report import to_html
        return framed(to_html(self, draw(self)))


def _rung(finding: Finding, ladder: Sequence[tuple[str | None, str]]) -> int:
    """The finding's rung: of its phase and stage, or, outside the phases, the last of its stage: what a step hands back at its
    end has been broken by any phase of it, and where it broke first its own rung says."""
    exact = [n for n, rung in enumerate(ladder) if rung == (finding.key.phase, finding.key.stage)]
    return (exact or [n for n, (_, stage) in enumerate(ladder) if stage == finding.key.stage])[-1]


def when(finding: Finding) -> Message:
    """At which step, and in which part of it, in words."""
    step, phase = finding.key.step, finding.key.phase
    if not step:
        return say("before the first step")
    return say("at step {step}, {phase} step", step=step, phase=phase) if phase else say("at step {step}", step=step)


def totals(result: StepsReport) -> dict[str, Curve]:
    """The losses that are trained on; all where none is known to be a sum."""
    return {name: curve for name, curve in result.curves.items() if is_total(name)} or result.curves


def relative(distances: Sequence[float], reference: Sequence[float]) -> np.ndarray:
    """Distances over the loss's own size."""
    sizes = np.abs(np.asarray(reference, np.float64))
    return np.asarray(distances, np.float64) / np.where(sizes > 0, sizes, 1.0)


def difference(curve: Curve) -> np.ndarray:
    """Of the two sides, relative, step by step."""
    return relative(np.abs(np.subtract(curve.twin, curve.reference)), curve.reference)


def envelope(curve: Curve, lane: str) -> np.ndarray:
    """What rounding alone does to the loss, relative: as the noise draws show it, and at least one rounding of its own."""
    return np.maximum(relative(curve.envelope, curve.reference), np.finfo(lane).eps)


def leaves(curve: Curve, lane: str) -> int | None:
    """The first step at which the loss is out of all that counts as noise."""
    within = difference(curve) <= M * envelope(curve, lane)
    return None if within.all() else int(np.argmin(within)) + 1


def rows(result: StepsReport) -> Iterator[dict]:
    """The figures of each step: {"step", "losses": {name: {"reference", "twin", "difference", "envelope"}}, "worst", "where"}."""
    found: dict[int, list[Finding]] = {}
    for finding in result.report.findings:
        found.setdefault(finding.key.step, []).append(finding)
    curves = {name: (curve, difference(curve), envelope(curve, result.lane)) for name, curve in totals(result).items()}
    for number in range(result.steps):
        here = [f for f in found.get(number + 1, []) if f.verdict.value in ("noise", "diverged")]
        first = next((f for f in here if f.verdict.value == "diverged"), max(here, key=lambda f: f.floor_multiple, default=None))
        yield {"step": number + 1, "worst": worst_multiple(here), "diverged": sum(f.verdict.value == "diverged" for f in here),
               "where": stage(first) if first else None,
               "losses": {name: {"reference": curve.reference[number], "twin": curve.twin[number],
                                 "difference": float(apart[number]), "envelope": float(noise[number])}
                          for name, (curve, apart, noise) in curves.items() if number < len(curve.reference)}}


def stage(finding: Finding) -> str:
    """The rung in short: "D gradients"."""
    return title(finding.key.phase, finding.key.stage)


def title(phase: str | None, stage: str) -> str:
    return together((phase, term(stage)), " ") if phase else term(stage)


def worst_multiple(findings: Sequence[Finding]) -> float:
    """The largest distance in noise floors; 0 where all keep within one."""
    return max((finding.floor_multiple for finding in findings if finding.verdict.value in ("noise", "diverged")), default=0.0)


def largest(multiple: float) -> Message:
    """The largest distance of a rung in noise floors, in words."""
    if math.isinf(multiple):
        return say("largest: cannot be compared")
    return say("largest: {multiple} floors", multiple=short(multiple)) if multiple else say("largest: within 1 floor")

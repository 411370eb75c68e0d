"""What a reader asks of a training that was followed: the verdict, the headline, the ladder."""

from __future__ import annotations

from collections.abc import Sequence

from parity.messages import Message, say, several, term
from parity.report.circumstances import Circumstances
from parity.report.words import STAGES, agreed, divergence, explanations, undecided
from parity.steps.figures import largest, title, when, worst_multiple
from parity.steps.runner import Followed
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
        from parity.steps.picture import drawings
        from parity.steps.report import to_html
        return framed(to_html(self, drawings(self)))


def _rung(finding: Finding, ladder: Sequence[tuple[str | None, str]]) -> int:
    """The finding's rung: of its phase and stage, or, outside the phases, the last of its stage: what a step hands back at its
    end has been broken by any phase of it, and where it broke first its own rung says."""
    exact = [n for n, rung in enumerate(ladder) if rung == (finding.key.phase, finding.key.stage)]
    return (exact or [n for n, (_, stage) in enumerate(ladder) if stage == finding.key.stage])[-1]

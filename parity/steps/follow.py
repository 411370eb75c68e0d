"""Two training programs side by side, step by step: where they part, and whether rounding explains it.

free     each side goes its own way, and so do DRAWS copies of the reference that start one ulp away and round at random:
         the noise envelope. Training is chaotic: a few draws do not show how early a difference may grow. A step in which
         the twin leaves the envelope is judged alone, from the twin's own state: where the reference, put there, makes the
         same step, what has grown is rounding.
resync   after each step the twin takes over the reference's state, so that each step is judged alone.

A step is judged alone in a replay: at the border of each module, and before each update, both the twin and the noise draws
go on with the reference's values. Rounding then can neither choose another side of a rectifier's kink (in float32 some
value of a step always does; it moved gradients by 1e3 floors), nor turn over the sign of a tiny gradient, which Adam makes
a whole step of.

Each step is compared in the order of execution: the batch, every line and layer of the D step, its losses, gradients (when
backward has ended, and after clearing), updates relative to their size, moments and settings of the optimizer; the same for
the G step; then what changed after it (rho), spectral u and v.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace as with_changes

from parity import asked
from parity.compare.ladder import may_be_of_a_constant
from parity.declare.pair import TrainingSubject
from parity.differences.difference import Difference
from parity.frameworks.lifting import SAID, Lifted, Rounded
from parity.frameworks.lowering import UNLOWERED
from parity.numbers.arrays import Verdict
from parity.numbers.noise import DRAWS, M
from parity.steps.again import MadeAgain
from parity.steps.alone import Asked
from parity.steps.census import judge_census
from parity.steps.programs import Programs
from parity.steps.reference import Progress, ReferenceStep, reference_steps
from parity.steps.result import Curve, StepsReport
from parity.steps.state import entries
from parity.trace.clipping import treated_otherwise
from parity.trace.source import Site
from parity.verdict.findings import RAISED, Finding, Report
from parity.verdict.judge import Judge, replaced
from parity.verdict.sinks import Against
from weights_convert import ConversionError


def follow(subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64", draws: int = DRAWS,
           floor_every: int = 1, stop_after: int = 3, recorded: Iterable[ReferenceStep] | None = None,
           differences: Sequence[Difference] = (), progress: Progress | None = None,
           passed: Callable[[Report], None] = lambda report: None) -> StepsReport:
    """Train both sides for `steps` steps from the same state and batches, and compare each.

    floor_every: in resync mode the noise is drawn anew at every so-manieth step (and at the first two); in between, floors
    are carried over relative to the size of their values. stop_after: give up so many steps after the first divergence.
    recorded: the steps of `record_reference` or `recorded_in` for this subject, mode and lane; the reference is let go then.
    Without them it runs along. differences: of the frameworks (`parity.differences.ALL`); a step that diverges is judged alone with
    the reference doing what Paddle does, and what is gone then is `explained`. Beside recorded steps the reference is made again
    for that (`MadeAgain`); without differences nothing is asked there, and no step is judged alone. passed: told what the census,
    and then each step, came to, before anything has been asked that may explain it.
    Where a tensor of a network has no partner, nothing is run, and the near misses are told. Where a side raises in float64, what
    it names float32 is lifted (`parity.frameworks.lifting`): from that step on where the reference does, else in all steps, which
    are made again; that stands if the twin does not raise then.
    Raises InputError for an unknown lane or mode and a number out of range, FrameworkError where the subject's device is missing,
    and whatever the *reference* raises; what the twin raises is a finding.
    """
    lane = asked.lane(lane)
    asked.following(steps=steps, mode=mode, draws=draws, floor_every=floor_every)

    def followed(lifted: Lifted | None, passed: Callable[[Report], None]) -> StepsReport:
        return _followed(Programs(subject, lane, lifted), steps, mode, draws, floor_every, stop_after, recorded, differences,
                         progress or (lambda step, what: None), passed)

    broken: list[Report] = []  # the step in which the twin raised, of which more is known when it has been made again
    first = followed(None, lambda report: broken.append(report) if _raised(report) else passed(report))
    if broken and lane == "float64" and SAID not in first.report.remarks:
        lifted = Lifted()
        again = followed(lifted, lambda report: None if _raised(report) else passed(report))
        if lifted.count and not _raised(again.report):
            return again
    for report in broken:
        passed(report)
    if lane == "float64" and recorded is None and subject.pair.names is not None and may_be_of_a_constant(first.report.first):
        rounded = Rounded()
        again = followed(rounded, lambda report: None)
        if rounded.count and _comes_later(again.report.first, first.report.first):
            return again
    return first


def _comes_later(one: Finding | None, other: Finding) -> bool:
    return one is None or (one.key.step, one.order) > (other.key.step, other.order)


def _raised(report: Report) -> bool:
    """Whether the twin did."""
    return any(finding.variable == RAISED for finding in report.diverged)


def _followed(both: Programs, steps: int, mode: str, draws: int, floor_every: int, stop_after: int,
              recorded: Iterable[ReferenceStep] | None, differences: Sequence[Difference], tell: Progress,
              passed: Callable[[Report], None]) -> StepsReport:
    subject, lane = both.subject, both.lane
    result = StepsReport(Report(subject.name), mode, lane)
    judge_census(both, result.report)
    result.report.remarks += both.remarks()
    passed(result.report)
    unpaired = [census for census in both.censuses.values() if census.unpaired]
    if unpaired:
        result.report.remarks += [census.left_open() for census in unpaired]
        return result
    if recorded is not None:
        both.let_go(0)
    diverged_at = None
    again = MadeAgain(both, recorded, mode) if recorded is not None and differences else None
    inquiry = Asked(both, draws, mode, result, tell, tuple(differences), again)
    for step in recorded if recorded is not None else reference_steps(both, steps, mode, draws, floor_every, tell):
        tell(step.number, "twin")
        both.go_by(step.number, step.tape)
        if step.lifted and both.lifted is None:
            both.lifted = Lifted()
        if both.lifted is not None and both.lifted.said not in result.report.remarks:
            result.report.remarks.append(both.lifted.said)
        if mode == "resync" or step.number == 1:
            try:
                both.load(1, both.for_twin(step.before))
            except (ConversionError, ValueError, KeyError):
                if not result.report.diverged:
                    raise
                break  # the census has said which parameters the twin lacks or has too many
        asking = diverged_at is None and (recorded is None or again is not None)
        start = {} if not asking else both.state(1) if mode == "free" else both.private(1)
        against = Against(step.store, step.floors, M, release=recorded is None)
        replayed = step.store.replayed() if mode == "resync" else None
        failure = both.twin_step(step.number, step.batch, against, replayed)
        found = Report(subject.name)
        start_of = entries(step.before) if recorded is None or mode == "resync" or step.number == 1 else None
        Judge(subject.name, subject.pair, lane, mode, step.store, step.floors, M, start=start_of,
              replayed=replayed is not None).judge(against, failure, found)
        passed(found)
        if asking and failure is None and (found.diverged or found.undecided or (replayed is not None and replaced(found))):
            found = inquiry.about(step, start, found)
        if asking and failure is None:
            inquiry.go_on(step)
        blame_clipping(found, step.store.clips, against.clips)
        result.report.add(found)
        if both.unlowered and UNLOWERED not in result.report.remarks:
            result.report.remarks.append(UNLOWERED)
        result.report.counterfactual = result.report.counterfactual or found.counterfactual
        result.steps = step.number
        note_losses(result, step, against)
        if diverged_at is None and result.report.diverged:
            diverged_at = step.number
        if failure is not None or (diverged_at is not None and step.number >= diverged_at + stop_after):
            break
    result.report.findings.sort(key=lambda finding: (finding.key.stage != "census", finding.key.step, finding.order))
    return result


def blame_clipping(found: Report, reference: Mapping[str, tuple] | None, twin: Mapping[str, tuple] | None) -> None:
    """Where the two do something else to the gradients, that is the cause of gradients and updates that differ, and of gradients
    the place. None: nobody has looked."""
    for name in reference if reference is not None and twin is not None else ():
        cause = treated_otherwise(reference[name], twin[name]) if name in twin else None
        if cause is not None:
            sites = reference[name].site, twin[name].site
            found.findings = [_blamed(finding, cause, sites) if finding.verdict is Verdict.DIVERGED
                              and finding.key.stage in ("gradients", "update") else finding for finding in found.findings]
            return


def _blamed(finding: Finding, cause: str, sites: tuple[Site | None, Site | None]) -> Finding:
    key = finding.key
    if key.stage != "gradients" or key.is_activation_gradient or not any(sites):
        return with_changes(finding, cause=cause)
    return with_changes(finding, cause=cause, reference=sites[0] or finding.reference, twin=sites[1] or finding.twin)


def note_losses(result: StepsReport, step: ReferenceStep, against: Against) -> None:
    for name, value in step.store.losses.items():
        curve = result.curves.setdefault(name, Curve())
        curve.reference.append(value)
        curve.twin.append(against.losses.get(name, float("nan")))
        curve.envelope.append(max((abs(losses[name] - value) for losses in step.drawn), default=0.0))

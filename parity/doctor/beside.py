"""The doctor beside a reference: the ladder over the user's pair, and the known bug that its first divergence looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from parity import differences
from parity.declare.pair import TrainingSubject
from parity.doctor.alone import diagnose_alone
from parity.doctor.diagnosis import Diagnosis
from parity.doctor.finding import Finding
from parity.doctor.known import KnownBug, likely_causes
from parity.messages import say, term, together
from parity.steps.follow import follow
from parity.steps.reference import ReferenceStep
from parity.steps.result import StepsReport
from parity.verdict.findings import Finding as Divergence


def diagnose_beside(subject: TrainingSubject, *, steps: int = 3, expect: Sequence[str] = (),
                    recorded: Iterable[ReferenceStep] | None = None, known: Iterable[KnownBug] = ()) -> Diagnosis:
    """Watch the twin alone, then follow the pair for some steps.

    known: bugs that others have had with such a program; the divergence is said to look like one whose fingerprint it has.

    What the twin alone gives away comes first, as it names the cause and its line; the first divergence from the reference
    follows, and stands alone where only the reference can tell. Raises what `follow` raises of the reference.
    """
    own = diagnose_alone(twin_builder(subject), iterations=steps, expect=expect, source=subject.pair.twin_source)
    if not own.iterations:  # it cannot be built or run: nothing to follow
        return own
    followed = follow(subject, steps=steps, recorded=recorded, differences=differences.ALL)
    first = followed.report.first
    beside = (_finding(first, followed, known).declared(tuple(expect)),) if first is not None else ()
    return Diagnosis((*own.errors, *beside, *own.warnings, *own.expected), followed.steps)


def twin_builder(subject: TrainingSubject) -> Callable[[], Callable[[], Any]]:
    """A function that builds the twin, float32, and returns its step, as `diagnose_alone` takes it."""
    def build() -> Callable[[], Any]:
        program, number = subject.twin("float32"), 0

        def step() -> Any:
            nonlocal number
            number += 1
            batch = [subject.pair.twin_framework.tensor(array) for array in subject.batch(number).values()]
            return program.step(*batch, number)

        return step

    return build


def _finding(first: Divergence, followed: StepsReport, known: Iterable[KnownBug]) -> Finding:
    key = first.key
    causes = likely_causes(first, known)
    where = f"{key.module}.{key.variable}" if key.module else key.variable
    place = first.twin or first.called
    stage = together((key.phase, term(key.stage)), " ") if key.phase else term(key.stage)
    message = say("first differs from the reference at stage {stage} of step {step}: {where}", stage=stage, step=key.step,
                  where=where) if key.step else \
        say("first differs from the reference at stage {stage}: {where}", stage=stage, where=where)
    if first.deviation.trouble:
        message = say("{message}, {trouble}", message=message, trouble=first.deviation.trouble)
    evidence = [say("{multiple:.3g} noise floors", multiple=first.floor_multiple)]
    if causes:
        evidence.append(say("looks like: {what} ({name})", what=say(causes[0].what), name=causes[0].name))
    if followed.growth:
        evidence.append(say("rounding grows by {factor:.3g} a step", factor=followed.growth))
    return Finding("differs-from-reference", where, message, together(evidence, "; "), place, key.step,
                   say(causes[0].fix) if causes else None)

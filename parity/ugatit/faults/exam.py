"""The exam: each fault must be found, and placed as it declares; the healthy twin must pass the same subject."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fnmatch import fnmatchcase

from parity.compare.ladder import compare
from parity.declare.pair import TrainingSubject
from parity.steps.follow import follow
from parity.steps.reference import ReferenceStep, record_reference
from parity.ugatit.faults.catalogue import CATALOGUE
from parity.ugatit.faults.fault import Answer, Fault, injected
from parity.ugatit.subjects import exam_subject, exam_training
from parity.verdict.findings import Finding, Report


@dataclass(frozen=True)
class Grade:
    """found: the verdict was "diverged". misplaced: what the headline says otherwise than the fault declares."""

    fault: str
    found: bool
    misplaced: tuple[str, ...]
    headline: Finding | None

    @property
    def placed(self) -> bool:
        return self.found and not self.misplaced


@dataclass(frozen=True)
class Setting:
    """What a subject is compared with. mode: of a training ("free", "resync"). sizes: changes of the exam's own (see
    `ugatit.Sizes`), as pairs; they do not concern single modules."""

    seed: int = 0
    lane: str = "float64"
    mode: str = "free"
    sizes: tuple[tuple[str, int], ...] = ()


USUAL = Setting()


def sit(fault: Fault, setting: Setting = USUAL) -> tuple[Grade, Report]:
    """Compare the fault's subject with the fault in the twin; a training is followed up to the step where it must show."""
    answer = fault.answer
    if answer.subject.startswith("training"):
        subject, recorded = _recorded(answer.subject, setting)
        steps = max(1, answer.step)
        with injected((fault,)):
            report = follow(subject, steps=steps, recorded=recorded[:steps], mode=setting.mode, lane=setting.lane).report
            return _grade(fault, report), report
    with injected((fault,)):
        report = _compared(answer.subject, setting)
        return _grade(fault, report), report


def sit_healthy(name: str, setting: Setting = USUAL) -> Report:
    """The same comparison of the subject's healthy twin, followed as far as any fault of this subject is."""
    if not name.startswith("training"):
        return _compared(name, setting)
    subject, recorded = _recorded(name, setting)
    return follow(subject, steps=len(recorded), recorded=recorded, mode=setting.mode, lane=setting.lane).report


def _compared(name: str, setting: Setting) -> Report:
    return compare(exam_subject(name, setting.seed, **dict(setting.sizes)), lanes=(setting.lane,))


def _grade(fault: Fault, report: Report) -> Grade:
    headline = report.first  # its source lines are those of the edited twin, while the fault is in
    wrong = tuple(misplacements(headline, fault.answer)) if headline else ()
    return Grade(fault.name, report.verdict == "diverged", wrong, headline)


@functools.lru_cache(maxsize=1)
def _recorded(name: str, setting: Setting) -> tuple[TrainingSubject, list[ReferenceStep]]:
    """A small training and its recorded reference, which all faults of that training are held against, as far as any of
    them needs it."""
    subject = exam_training(name, setting.seed, **dict(setting.sizes))
    steps = max((fault.answer.step for fault in CATALOGUE.values() if fault.answer.subject == name), default=1)
    return subject, record_reference(subject, steps=max(1, steps), mode=setting.mode, lane=setting.lane)


def misplacements(headline: Finding, answer: Answer) -> list[str]:
    """Each way in which a headline is not where the answer says."""
    key, wrong = headline.key, []
    for name, expected, found in (("stage", answer.stage, key.stage), ("step", answer.step, key.step),
                                  ("phase", answer.phase, key.phase)):
        if expected != found:
            wrong.append(f"{name}: expected {expected}, found {found}")
    if not fnmatchcase(key.module, answer.module):
        wrong.append(f"module: expected {answer.module}, found {key.module}")
    if answer.variable is not None and answer.variable != key.variable:
        wrong.append(f"variable: expected {answer.variable}, found {key.variable}")
    lines = [site.text for site in (headline.reference, headline.called) if site]
    if answer.line is not None and not any(answer.line in line for line in lines):
        wrong.append(f"line: expected {answer.line!r}, found {lines}")
    return wrong

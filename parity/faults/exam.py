"""The exam: each fault must be found, and placed as it declares; the healthy twin must pass the same subject."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fnmatch import fnmatchcase

from parity.faults.catalogue import CATALOGUE
from parity.faults.fault import Answer, Fault, injected
from parity.findings import Finding, Report
from parity.ladder import compare
from parity.lockstep import ReferenceStep, follow, record_reference
from parity.pair import TrainingSubject
from parity.ugatit import exam_subject, exam_training


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


def sit(fault: Fault, *, seed: int = 0, lanes: tuple[str, ...] = ("float64",)) -> tuple[Grade, Report]:
    """Compare the fault's subject with the fault in the twin; a training is followed up to the step where it must show."""
    answer = fault.answer
    if answer.subject.startswith("training"):
        subject, recorded = _recorded(answer.subject, max(1, answer.step), seed)
        with injected((fault,)):
            report = follow(subject, steps=len(recorded), recorded=recorded).report
            return _grade(fault, report), report
    with injected((fault,)):
        report = compare(exam_subject(answer.subject, seed), lanes=lanes)
        return _grade(fault, report), report


def sit_healthy(name: str, *, seed: int = 0, lanes: tuple[str, ...] = ("float64",)) -> Report:
    """The same comparison of the subject's healthy twin, followed as far as any fault of this subject is."""
    if not name.startswith("training"):
        return compare(exam_subject(name, seed), lanes=lanes)
    steps = max(fault.answer.step for fault in CATALOGUE.values() if fault.answer.subject == name)
    subject, recorded = _recorded(name, max(1, steps), seed)
    return follow(subject, steps=len(recorded), recorded=recorded).report


def _grade(fault: Fault, report: Report) -> Grade:
    headline = report.first  # its source lines are those of the edited twin, while the fault is in
    wrong = tuple(misplacements(headline, fault.answer)) if headline else ()
    return Grade(fault.name, report.verdict == "diverged", wrong, headline)


@functools.lru_cache(maxsize=8)
def _recorded(name: str, steps: int, seed: int) -> tuple[TrainingSubject, list[ReferenceStep]]:
    """A small training and its recorded reference, which all faults of that training are held against."""
    subject = exam_training(name, seed)
    return subject, record_reference(subject, steps=steps)


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

"""The exam: each fault must be found, and placed as it declares; the healthy twin must pass the same subject."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from parity.faults.fault import Answer, Fault, injected
from parity.findings import Finding, Report
from parity.ladder import compare
from parity.ugatit import exam_subject


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
    """Compare the fault's subject with the fault in the twin."""
    with injected((fault,)):
        report = compare(exam_subject(fault.answer.subject, seed), lanes=lanes)
        headline = report.first
        wrong = tuple(misplacements(headline, fault.answer)) if headline else ()
    return Grade(fault.name, report.verdict == "diverged", wrong, headline), report


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
    line = headline.reference.text if headline.reference else None
    if answer.line is not None and (line is None or answer.line not in line):
        wrong.append(f"line: expected {answer.line!r}, found {line!r}")
    return wrong

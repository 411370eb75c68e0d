"""What was compared, and what came of it. Needs neither framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.verdict.findings import Report

if TYPE_CHECKING:
    from parity.declare.pair import Subject


@dataclass(frozen=True)
class Case:
    """A subject under the name and mode by which the report calls it."""

    title: str
    mode: str  # "eval" or "train"
    subject: Subject

    def __str__(self) -> str:
        return f"{self.title} ({self.mode})"


@dataclass(frozen=True)
class Result:
    """What came of a case, and the seconds that it took."""

    case: Case
    report: Report
    seconds: float

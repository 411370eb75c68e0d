"""One model for all that machines read of a verdict: SARIF, JUnit and annotations show these, and nothing else.

A comparison is a list of `Checked`, one for each program and mode; a `Problem` is what costs one of them its `same`: an independent
place of a divergence (what follows from it is no problem of its own), or a value that nobody could see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from parity.report.summary import Summary
from parity.report.words import divergence
from parity.trace.source import Site
from parity.verdict.findings import Finding

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """id: the same for the same problem tomorrow. rule: its kind. level: ERROR or WARNING. message: one line. story: all of it.
    site: where to look. related: the line of the reference that it is held against."""

    id: str
    rule: str
    level: str
    message: str
    story: str
    site: Site | None = None
    related: Site | None = None

    @classmethod
    def of(cls, finding: Finding) -> Problem:
        """A value that is not the same, or could not be seen."""
        return cls(finding.id, f"{finding.verdict.value}/{finding.key.stage}", ERROR,
                   f"{finding.verdict.value} at stage {finding.key.stage}: {divergence(finding)}", str(finding),
                   finding.twin or finding.reference, finding.reference if finding.twin else None)


@dataclass(frozen=True)
class Checked:
    """One thing that was checked, and what is wrong with it; nothing: it passed."""

    name: str
    seconds: float
    problems: Sequence[Problem] = ()

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.level == ERROR]


def checked(summary: Summary) -> list[Checked]:
    """Of a comparison."""
    return [Checked(str(result.case), result.seconds, [Problem.of(finding) for finding in
                                                       result.report.places or result.report.undecided])
            for result in summary.results]


def distinct(programs: Iterable[Checked]) -> Iterator[Problem]:
    """Each place once, whatever the programs in which it shows; where the file is not known, each problem."""
    seen = set()
    for program in programs:
        for problem in program.problems:
            key = (problem.rule, problem.site or problem.id)
            if key not in seen:
                seen.add(key)
                yield problem

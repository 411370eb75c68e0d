"""What the doctor has to say of a training: its findings, sorted by how much they weigh."""

from __future__ import annotations

from dataclasses import dataclass

from parity.doctor.finding import ERROR, WARNING, Finding


@dataclass(frozen=True)
class Diagnosis:
    """findings: all, the one to act on first. iterations: so many were watched."""

    findings: tuple[Finding, ...]
    iterations: int

    def __add__(self, other: Diagnosis) -> Diagnosis:
        """Of two trainings of one script: what both show at the same line is said once."""
        places = {(found.id, found.site) for found in self.findings}
        together = [*self.findings, *(found for found in other.findings if (found.id, found.site) not in places)]
        together.sort(key=lambda found: (found.expected, found.severity != ERROR))
        return Diagnosis(tuple(together), self.iterations + other.iterations)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.severity == ERROR and not found.expected)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Unusual, on purpose? No findings in the count."""
        return tuple(found for found in self.findings if found.severity == WARNING and not found.expected)

    @property
    def expected(self) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.expected)

    @property
    def first(self) -> Finding | None:
        return next(iter((*self.errors, *self.warnings)), None)

    def _repr_html_(self) -> str:
        """In a notebook: the page."""
        from parity.doctor.report import to_html
        from parity.report.page import framed
        return framed(to_html(self))

"""A diagnosis for machines: SARIF, JUnit and annotations show what `parity.report.problems` holds."""

from __future__ import annotations

from parity.doctor.diagnosis import Diagnosis
from parity.report.problems import Checked, Problem


def checked(diagnosis: Diagnosis, target: str) -> list[Checked]:
    """One program; its errors, and what is unusual as warnings. What was declared is no problem."""
    return [Checked(target, 0.0, [
        Problem(f"{found.id}/{found.site or target}", found.id, found.severity, found.message,
                f"{found.message}\nremedy: {found.remedy}", found.site)
        for found in (*diagnosis.errors, *diagnosis.warnings)])]

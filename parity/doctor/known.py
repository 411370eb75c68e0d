"""Bugs that others have had: which of them a first divergence looks like."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Protocol

from parity.verdict.findings import Finding


class Fingerprint(Protocol):
    """Where a bug shows first: stage, phase and step, module (a pattern: "dis*"), variable, a piece of the reference's line."""

    stage: str
    phase: str | None
    step: int
    module: str
    variable: str | None
    line: str | None


class KnownBug(Protocol):
    """what: what people saw. fix: what repairs it. answer: its fingerprint."""

    name: str
    what: str
    fix: str
    answer: Fingerprint


def likely_causes(first: Finding, known: Iterable[KnownBug]) -> list[KnownBug]:
    """Those with this fingerprint: the same stage and phase, step and place; the best match first.

    A bug that is placed by its source line must match it, or the variable: stage and step alone fit too many.
    """
    key = first.key
    lines = [site.text for site in (first.reference, first.called) if site]
    ranked = []
    for bug in known:
        answer = bug.answer
        if (answer.stage, answer.phase) != (key.stage, key.phase) or not fnmatchcase(key.module, answer.module):
            continue
        by_line = answer.line is not None and any(answer.line in line for line in lines)
        by_variable = answer.variable is not None and answer.variable == key.variable
        if (answer.line is not None and not by_line) or (answer.variable is not None and not by_variable):
            continue
        ranked.append((-(by_line + by_variable), abs(answer.step - key.step), bug.name, bug))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:3])]

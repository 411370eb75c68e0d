"""A module that the twin calls once more than the reference, in the place of another that it calls less often."""

from __future__ import annotations

from dataclasses import replace

from parity.messages import say
from parity.numbers.arrays import Verdict
from parity.verdict.findings import Finding


def called_instead(found: list[Finding]) -> list[Finding]:
    """The findings, with that as the cause of those that one side alone has."""
    lone = [finding for finding in found if finding.verdict is Verdict.DIVERGED and not finding.drawn
            and finding.key.stage == "forward" and finding.key.variable.startswith("input")
            and None in (finding.reference, finding.twin)]
    said = {}
    for more in lone:
        less = next((other for other in lone if _siblings(more, other) and bool(other.twin) != bool(more.twin)
                     and other.key.variable == more.key.variable), None)
        if more.key.call and less is not None:
            names = say("the twin"), say("the reference")
            side, other = names if more.twin else names[::-1]
            said[more.key] = say("{side} calls {module} once more, where {other} calls {instead}", side=side,
                                 module=more.key.module, other=other, instead=less.key.module)
    return [replace(finding, cause=said[finding.key]) if finding.key in said and finding.cause is None else finding
            for finding in found]


def _siblings(one: Finding, other: Finding) -> bool:
    ours, theirs = one.key.module, other.key.module
    return ours != theirs and ours.rpartition(".")[0] == theirs.rpartition(".")[0]

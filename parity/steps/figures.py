"""The figures of a training that was followed, step by step, and what a reader calls its steps and stages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from parity.messages import Message, say, term, together
from parity.numbers.noise import M
from parity.report.words import short
from parity.steps.result import Curve, StepsReport
from parity.steps.runner import is_total
from parity.verdict.findings import Finding


def when(finding: Finding) -> Message:
    """At which step, and in which part of it, in words."""
    step, phase = finding.key.step, finding.key.phase
    if not step:
        return say("before the first step")
    return say("at step {step}, {phase} step", step=step, phase=phase) if phase else say("at step {step}", step=step)


def totals(result: StepsReport) -> dict[str, Curve]:
    """The losses that are trained on; all where none is known to be a sum."""
    return {name: curve for name, curve in result.curves.items() if is_total(name)} or result.curves


def relative(distances: Sequence[float], reference: Sequence[float]) -> np.ndarray:
    """Distances over the loss's own size."""
    sizes = np.abs(np.asarray(reference, np.float64))
    return np.asarray(distances, np.float64) / np.where(sizes > 0, sizes, 1.0)


def difference(curve: Curve) -> np.ndarray:
    """Of the two sides, relative, step by step."""
    return relative(np.abs(np.subtract(curve.twin, curve.reference)), curve.reference)


def envelope(curve: Curve, lane: str) -> np.ndarray:
    """What rounding alone does to the loss, relative: as the noise draws show it, and at least one rounding of its own."""
    return np.maximum(relative(curve.envelope, curve.reference), np.finfo(lane).eps)


def leaves(curve: Curve, lane: str) -> int | None:
    """The first step at which the loss is out of all that counts as noise."""
    within = difference(curve) <= M * envelope(curve, lane)
    return None if within.all() else int(np.argmin(within)) + 1


def rows(result: StepsReport) -> Iterator[dict]:
    """The figures of each step: {"step", "losses": {name: {"reference", "twin", "difference", "envelope"}}, "worst", "where"}."""
    found: dict[int, list[Finding]] = {}
    for finding in result.report.findings:
        found.setdefault(finding.key.step, []).append(finding)
    curves = {name: (curve, difference(curve), envelope(curve, result.lane)) for name, curve in totals(result).items()}
    for number in range(result.steps):
        here = [f for f in found.get(number + 1, []) if f.verdict.value in ("noise", "diverged")]
        first = next((f for f in here if f.verdict.value == "diverged"), max(here, key=lambda f: f.floor_multiple, default=None))
        yield {"step": number + 1, "worst": worst_multiple(here), "diverged": sum(f.verdict.value == "diverged" for f in here),
               "where": stage(first) if first else None,
               "losses": {name: {"reference": curve.reference[number], "twin": curve.twin[number],
                                 "difference": float(apart[number]), "envelope": float(noise[number])}
                          for name, (curve, apart, noise) in curves.items() if number < len(curve.reference)}}


def stage(finding: Finding) -> str:
    """The rung in short: "D gradients"."""
    return title(finding.key.phase, finding.key.stage)


def title(phase: str | None, stage: str) -> str:
    return together((phase, term(stage)), " ") if phase else term(stage)


def worst_multiple(findings: Sequence[Finding]) -> float:
    """The largest distance in noise floors; 0 where all keep within one."""
    return max((finding.floor_multiple for finding in findings if finding.verdict.value in ("noise", "diverged")), default=0.0)


def largest(multiple: float) -> Message:
    """The largest distance of a rung in noise floors, in words."""
    if math.isinf(multiple):
        return say("largest: cannot be compared")
    return say("largest: {multiple} floors", multiple=short(multiple)) if multiple else say("largest: within 1 floor")

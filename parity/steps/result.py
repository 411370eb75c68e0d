"""What following two trainings came to: findings and counts over all steps, and the losses as curves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from parity.verdict.findings import Report


@dataclass
class Curve:
    """One loss over the steps: of both sides, and the largest distance of a noise draw (the envelope)."""

    reference: list[float] = field(default_factory=list)
    twin: list[float] = field(default_factory=list)
    envelope: list[float] = field(default_factory=list)


@dataclass
class StepsReport:
    """What lockstep saw. `report`: findings and counts over all steps; `curves`: loss name -> Curve; `steps`: followed.

    judged_alone: the steps of a free run that left the envelope and were judged alone, with the verdict on each.
    """

    report: Report
    mode: str
    lane: str
    steps: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)
    judged_alone: dict[int, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return self.report.verdict

    @property
    def growth(self) -> float | None:
        """By what factor a rounding difference in the losses grows from step to step: least squares through the logarithm
        of the relative envelope, the mean over the losses. None with fewer than three steps to go by."""
        slopes = []
        for curve in self.curves.values():
            points = [(step, np.log(envelope / abs(loss)))
                      for step, (envelope, loss) in enumerate(zip(curve.envelope, curve.reference, strict=True))
                      if envelope > 0 and loss]
            if len(points) >= 3:
                slopes.append(np.polyfit(*zip(*points, strict=True), 1)[0])
        return float(np.exp(np.mean(slopes))) if slopes else None

    def to_json(self) -> dict:
        return {**self.report.to_json(), "mode": self.mode, "lane": self.lane, "steps": self.steps, "growth_per_step": self.growth,
                "judged_alone": self.judged_alone, "losses": {name: vars(curve) for name, curve in self.curves.items()}}

"""What came of two data pipelines: findings, in the order in which they were met, and how much was compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.trace.source import Site
from parity.verdict.findings import NothingCompared

LENGTH, ORDER, SAMPLE, BATCH, ITEM, RAISED = "length", "order", "sample", "batch", "item", "raised"


@dataclass(frozen=True)
class Discrepancy:
    """One thing that differs. kind: LENGTH, ORDER, SAMPLE, BATCH, ITEM or RAISED. place: where, in words. what: what differs,
    in words. step: the first line or transform that made it differ, and before: the last one that was the same, as far as the
    two could be followed; sites: of that step, the reference's and the twin's. pictures: the two arrays there, of which a
    picture can be made."""

    kind: str
    epoch: int
    place: str
    what: str
    cause: str | None = None
    step: str | None = None
    before: str | None = None
    sites: tuple[Site | None, Site | None] = (None, None)
    distance: float | None = None
    pictures: tuple[np.ndarray, np.ndarray] | None = None

    def sentence(self) -> str:
        """Where, what, and why, in one line."""
        step = f", first by {self.step}" if self.step else ""
        cause = f"; likely cause: {self.cause}" if self.cause else ""
        return f"{self.place}: {self.what}{step}{cause}"

    def to_json(self) -> dict[str, Any]:
        sites = {side: None if site is None else {"file": site.file, "line": site.line, "text": site.text}
                 for side, site in zip(("reference", "twin"), self.sites, strict=True)}
        return {"kind": self.kind, "epoch": self.epoch, "place": self.place, "what": self.what, "step": self.step,
                "before": self.before, "cause": None if self.cause is None else str(self.cause), "distance": self.distance, **sites}


@dataclass
class DataSummary:
    """What `compare` returns. compared: how many of each kind. odd: how many samples, items and batches differ. remarks: what
    could not be looked at, or what is no difference of values."""

    title: str
    compared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("orders", "samples", "batches", "items"), 0))
    odd: dict[str, int] = field(default_factory=dict)
    findings: list[Discrepancy] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    circumstances: Any = None  # of the command, where one made it

    @property
    def verdict(self) -> str:
        """"same" or "diverged"."""
        return "diverged" if self.findings else "same"

    @property
    def first(self) -> Discrepancy | None:
        return self.findings[0] if self.findings else None

    def sentence(self) -> str:
        counted = ", ".join(f"{count} {kind}" for kind, count in self.compared.items() if count)
        if self.first is None:
            return f"same: {self.title}: {counted} compared, none differs"
        return f"diverged: {self.title}: {self.first.sentence()}"

    def to_json(self) -> dict[str, Any]:
        first = None if self.first is None else self.first.to_json()
        return {"verdict": self.verdict, "title": self.title, "compared": dict(self.compared), "differ": dict(self.odd),
                "first": first, "findings": [one.to_json() for one in self.findings], "remarks": list(self.remarks)}

    def check(self) -> None:
        """Raises NothingCompared where no sample, batch or item was looked at."""
        if not sum(count for kind, count in self.compared.items() if kind != "orders") and not self.findings:
            raise NothingCompared(f"{self.title}: the reference handed out no sample, so nothing was compared; does its dataset "
                                  f"hold any?")



"""What came of two metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.metrics.meters import Values


def written(values: Values) -> str:
    """Numbers in a line; of many the first."""
    numbers = np.concatenate([np.ravel(one).astype(float) for one in values.values()])
    said = ", ".join(f"{number:.6g}" for number in numbers[:4])
    return said if numbers.size <= 4 else f"{said}, ... ({numbers.size} numbers)"


@dataclass(frozen=True)
class Ends:
    """What both metrics say of both models' predictions: own[0] of the reference's metric on the reference's model; swapped[0]
    of the reference's metric on the twin's."""

    own: tuple[Values, Values]
    swapped: tuple[Values, Values]
    by_metric: bool
    by_model: bool

    def sentence(self) -> str:
        ours, theirs = map(written, self.own)
        if not self.by_metric and not self.by_model:
            return f"the ends are the same: {ours}"
        if not self.by_metric:
            return (f"the ends differ by the model alone: both metrics say {ours} of the reference's predictions, {theirs} of the "
                    f"twin's")
        if not self.by_model:
            return f"the ends differ by the metric alone: of either model the reference's says {ours}, the twin's {theirs}"
        return (f"the ends differ by the metric and by the model: {ours} and {theirs}; by the reference's metric {ours} and "
                f"{written(self.swapped[0])}, by the twin's {written(self.swapped[1])} and {theirs}")

    def to_json(self) -> dict[str, Any]:
        return {"reference": _plain(self.own[0]), "twin": _plain(self.own[1]), "reference metric on twin": _plain(self.swapped[0]),
                "twin metric on reference": _plain(self.swapped[1]), "by metric": self.by_metric, "by model": self.by_model,
                "sentence": self.sentence()}


@dataclass
class MetricSummary:
    """What `compare` returns. reference, twin: what each said after each update, and `ends` at last. first: the update (from 1)
    after which they part; 0: at the end only; None: they do not. raised: what the twin raised. ends: where each model has
    predictions."""

    title: str
    reference: list[Values] = field(default_factory=list)
    twin: list[Values] = field(default_factory=list)
    ends: tuple[Values, Values] | None = None
    first: int | None = None
    what: str | None = None
    cause: str | None = None
    raised: str | None = None
    models: Ends | None = None
    circumstances: Any = None

    @property
    def verdict(self) -> str:
        """"same" or "diverged"."""
        odd = self.first is not None or self.raised is not None or (self.models is not None and (
            self.models.by_metric or self.models.by_model))
        return "diverged" if odd else "same"

    def sentence(self) -> str:
        if self.raised is not None:
            return f"diverged: {self.title}: the twin raises {self.raised}"
        if self.first is None:
            said = f"{self.title}: {len(self.reference)} updates compared, none differs; at the end {written(self.ends[0])}"
        else:
            where = f"after update {self.first} of {len(self.reference)}" if self.first else "of all batches together"
            said = f"{self.title}: {where}: {self.what}" + (f"; likely cause: {self.cause}" if self.cause else "")
        return f"{self.verdict}: {said}" + (f"; {self.models.sentence()}" if self.models else "")

    def to_json(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "title": self.title, "first": self.first, "what": self.what, "cause": self.cause,
                "raised": self.raised, "reference": [_plain(one) for one in self.reference],
                "twin": [_plain(one) for one in self.twin],
                "ends": None if self.ends is None else [_plain(one) for one in self.ends],
                "models": None if self.models is None else self.models.to_json()}


def _plain(values: Values) -> dict[str, Any]:
    """Strict JSON: NaN and Infinity as text."""
    return {path: [float(one) if np.isfinite(one) else str(float(one)) for one in np.ravel(array).astype(float)]
            for path, array in values.items()}

"""The marks of an exam: which faults were found and placed, and which healthy twins raised an alarm; as a page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from jinja2 import Template

from parity.ugatit.faults.catalogue import CATALOGUE
from parity.ugatit.faults.exam import Grade


@dataclass(frozen=True)
class Mark:
    """One line of the exam: of a fault, or of healthy twins.

    outcome: found and placed, misplaced, missed; passed, false alarm. where: the reference's line that the headline names.
    floors: how far the headline's value lies away, in noise floors (in a float32 check: in multiples of the reference's own
    error); None where that is no number. healthy: how many healthy comparisons this was. headline: the whole of it.
    """

    name: str
    outcome: str
    stage: str = ""
    where: str = ""
    floors: float | None = None
    reason: str = ""
    healthy: int = 0
    headline: str = ""

    @property
    def result(self) -> str:
        return f"{self.outcome}: {self.reason}" if self.reason else self.outcome

    @property
    def found(self) -> bool:
        return self.outcome in ("found and placed", "misplaced")

    @property
    def distance(self) -> str:
        if not self.found:
            return ""
        return "no number" if self.floors is None else f"{self.floors:.0e}"

    def to_json(self) -> dict:
        return asdict(self)


def mark_fault(grade: Grade) -> Mark:
    """The mark of one fault. Take it while the fault's lines are still what the report shows."""
    outcome = "found and placed" if grade.placed else "misplaced" if grade.found else "missed"
    headline = grade.headline
    if headline is None:
        return Mark(grade.fault, outcome, CATALOGUE[grade.fault].answer.stage)
    multiple = headline.floor_multiple
    site = headline.reference or headline.called
    return Mark(grade.fault, outcome, headline.key.stage, str(site) if site else "",
                None if math.isinf(multiple) else multiple, "; ".join(grade.misplaced), headline=str(headline))


def mark_healthy(name: str, verdict: str, count: int = 1, headline: object = None) -> Mark:
    """The mark of `count` comparisons of the healthy twin."""
    passed = verdict == "same"
    return Mark(name, "passed" if passed else "false alarm", healthy=count, headline="" if passed else str(headline or ""))


def summary(marks: Iterable[Mark]) -> str:
    """The whole exam in one sentence."""
    marks = list(marks)
    count = {outcome: sum(mark.outcome == outcome for mark in marks)
             for outcome in ("found and placed", "misplaced", "missed", "false alarm")}
    placed, missed, misplaced = count["found and placed"], count["missed"], count["misplaced"]
    return (f"{sum(not mark.healthy for mark in marks)} faults: {placed + misplaced} found, {placed} of them at their place, "
            f"{misplaced} misplaced, {missed} missed; {sum(mark.healthy for mark in marks)} comparisons of healthy twins, "
            f"{count['false alarm']} false alarms.")


_PAGE = Template("""\
# The exam

{{ summary }}

Each fault of the catalogue (`parity faults`) is put into the twin, alone, and the float64 comparison must find it and name stage,
step, module, variable and line as the fault declares. Written by `make exam` (`pytest parity/ --exam --exam-table FILE.md`).

*Noise floors*: how far the first value that differs lies away (a divergence is more than 16); "no number" where something is
missing on one side, has another shape, or must be equal to the bit. *At*: the line of the reference that the headline names.

| fault | stage | result | noise floors | at |
| --- | --- | --- | --- | --- |
{% for mark in faults -%}
| {{ mark.name }} | {{ mark.stage }} | {{ mark.result }} | {{ mark.distance }} | {{ mark.where }} |
{% endfor %}
| healthy twin | comparisons | result |
| --- | --- | --- |
{% for mark in healthy -%}
| {{ mark.name }} | {{ mark.healthy }} | {{ mark.outcome }} |
{% endfor -%}
""")


def page(marks: Iterable[Mark]) -> str:
    """The exam as a Markdown page: faults in the catalogue's order, then the healthy twins."""
    marks = list(marks)
    order = {name: number for number, name in enumerate(CATALOGUE)}
    faults = sorted((mark for mark in marks if not mark.healthy), key=lambda mark: order.get(mark.name, len(order)))
    return _PAGE.render(summary=summary(marks), faults=faults, healthy=[mark for mark in marks if mark.healthy])

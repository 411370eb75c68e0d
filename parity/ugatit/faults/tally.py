"""What a campaign of faults comes to: a table over seeds and configurations, in text, JSON and HTML.

The tables have no times and no order but the plan's, so that the same campaign gives the same bytes wherever it is run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.campaign.runs import Done, Failed, Outcome, Task
from parity.report.page import page
from parity.report.words import versions
from parity.ugatit.faults import trials
from parity.ugatit.faults.score import Mark

FAULTY = ("found and placed", "misplaced", "missed")
HEALTHY = ("passed", "false alarm")
GOOD = ("found and placed", "passed")


@dataclass(frozen=True)
class Trial:
    """One task, and its mark; without one it has failed."""

    task: Task
    mark: Mark | None
    failure: Failed | None = None

    @property
    def outcome(self) -> str:
        return self.mark.outcome if self.mark else "failed"

    @property
    def seed(self) -> int:
        return self.task["seed"]

    @property
    def where(self) -> str:
        return trials.where(self.task)

    @property
    def why(self) -> str:
        if self.failure is not None:
            return self.failure.reason
        return self.mark.reason or self.mark.headline.partition("\n")[0]

    def to_json(self) -> dict:
        return {**self.task, "configuration": self.where, **(self.mark.to_json() if self.mark else {}), "outcome": self.outcome,
                "reason": self.why if self.outcome not in GOOD else ""}


@dataclass(frozen=True)
class Row:
    """Trials that belong together: of one fault, of one healthy twin, of one configuration."""

    name: str
    trials: tuple[Trial, ...]

    def count(self, outcome: str) -> int:
        return sum(trial.outcome == outcome for trial in self.trials)

    @property
    def smallest(self) -> str:
        """The headline that came nearest to being missed."""
        found = [trial.mark for trial in self.trials if trial.mark and trial.mark.found]
        return min(found, key=lambda mark: float("inf") if mark.floors is None else mark.floors).distance if found else ""

    def to_json(self) -> dict:
        counts = {outcome: self.count(outcome) for outcome in (*FAULTY, *HEALTHY, "failed")}
        return {"name": self.name, "runs": len(self.trials), **counts, "smallest": self.smallest}


class Tally:
    """outcomes: what came of each task of the plan, in its order; a task that is not among them has failed."""

    def __init__(self, plan: Iterable[Task], outcomes: Iterable[Outcome]) -> None:
        self.trials = [Trial(task, trials.mark(outcome.result)) if isinstance(outcome, Done) else Trial(task, None, outcome)
                       for task, outcome in zip(plan, outcomes, strict=True)]

    @cached_property
    def faults(self) -> list[Row]:
        return self._rows("fault", lambda trial: trial.task["name"])

    @cached_property
    def healthy(self) -> list[Row]:
        return self._rows("healthy", lambda trial: trial.task["name"])

    @cached_property
    def configurations(self) -> list[Row]:
        return self._rows(None, lambda trial: trial.where)

    @property
    def wrong(self) -> list[Trial]:
        """The trials that did not come out as they should."""
        return [trial for trial in self.trials if trial.outcome not in GOOD]

    @property
    def failed(self) -> int:
        return sum(trial.outcome == "failed" for trial in self.trials)

    @property
    def sentence(self) -> str:
        whole = Row("", tuple(self.trials))
        faulty = [trial for trial in self.trials if trial.task["kind"] == "fault"]
        placed, misplaced = whole.count("found and placed"), whole.count("misplaced")
        return (f"{len(faulty)} runs with a fault ({len(self.faults)} faults, {len({trial.seed for trial in self.trials})} seeds, "
                f"{len(self.configurations)} configurations): {placed + misplaced} found, {placed} of them at their place, "
                f"{misplaced} misplaced, {whole.count('missed')} missed; {len(self.trials) - len(faulty)} of healthy twins, "
                f"{whole.count('false alarm')} false alarms; {self.failed} runs failed.")

    @property
    def exit_code(self) -> int:
        """0: all as it should be; 1: missed, misplaced, a false alarm; 2: there are runs without a result, or none at all."""
        return 2 if self.failed or not self.trials else 1 if self.wrong else 0

    def _rows(self, kind: str | None, name: Callable[[Trial], str]) -> list[Row]:
        rows: dict[str, list[Trial]] = {}
        for trial in self.trials:
            if kind in (None, trial.task["kind"]):
                rows.setdefault(name(trial), []).append(trial)
        return [Row(name, tuple(found)) for name, found in rows.items()]

    # --- for readers ---------------------------------------------------------------------------------------------------

    def show(self, console: Console) -> None:
        """A row for each fault, healthy twin and configuration; every run that came out otherwise than it should; the sum."""
        for title, rows, outcomes, more in self.tables():
            table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
            table.add_column(title)
            for header in ("runs", *(SHORT.get(outcome, outcome) for outcome in outcomes), "failed", *(["floors"] if more else [])):
                table.add_column(header, justify="right", no_wrap=True)
            for row in rows:
                counts = (str(row.count(outcome) or "-") for outcome in (*outcomes, "failed"))
                table.add_row(row.name, str(len(row.trials)), *counts, *([row.smallest] if more else []))
            console.print(table)
            console.print()
        for trial in self.wrong:
            where = f"{trial.outcome}: {trial.task['name']}, seed {trial.seed}, {trial.where}"
            console.print(Text(f"{where}\n    {trial.why}"), soft_wrap=True)
        console.print(Text(self.sentence, style="red" if self.exit_code else "green"), soft_wrap=True)

    def tables(self) -> list[tuple[str, list[Row], tuple[str, ...], bool]]:
        """(heading, rows, outcomes that are counted, whether distances belong there)."""
        return [("fault", self.faults, FAULTY, True), ("healthy twin", self.healthy, HEALTHY, False),
                ("configuration", self.configurations, (*FAULTY, *HEALTHY), False)]

    def to_json(self) -> str:
        """verdict: "as expected", "not as expected" or "incomplete"; the sentence, the three tables, every run, versions."""
        document = {"verdict": ("as expected", "not as expected", "incomplete")[self.exit_code], "sentence": self.sentence,
                    **{name: [row.to_json() for row in rows] for name, rows in
                       (("faults", self.faults), ("healthy", self.healthy), ("configurations", self.configurations))},
                    "runs": [trial.to_json() for trial in self.trials], "versions": versions()}
        return json.dumps(document, indent=1, allow_nan=False) + "\n"

    def to_html(self) -> str:
        """One page that needs nothing else."""
        return page("campaign.html", title="Campaign of known faults", verdict="diverged" if self.exit_code else "same",
                    sentence=self.sentence, tally=self, short=SHORT)


SHORT: Mapping[str, str] = {"found and placed": "placed", "false alarm": "alarms"}

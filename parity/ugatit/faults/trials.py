"""Faults x seeds x configurations: the exam away from its own seed, sizes and lane, as tasks of a campaign.

Each fault is tried where it declares that it acts: one of a module or a network in a check (one forward and backward), one of the
training in a training, free or resynced. Each comparison of a faulty twin has one of the healthy twin beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from parity.campaign.runs import Task
from parity.ugatit.faults.catalogue import CATALOGUE
from parity.ugatit.faults.exam import Setting, sit, sit_healthy
from parity.ugatit.faults.score import Mark, mark_fault, mark_healthy
from parity.ugatit.subjects import NETWORKS

MODES = ("check", "free", "resync")


@dataclass(frozen=True)
class Configuration:
    """mode: what is run, of `MODES`. lane: "float64" or "float32". sizes: of the networks, other than the exam's own."""

    mode: str = "check"
    lane: str = "float64"
    sizes: Mapping[str, int] = field(default_factory=dict)


def configurations(modes: Iterable[str], lanes: Iterable[str], sizes: Mapping[str, Iterable[int]]) -> list[Configuration]:
    """Every combination. sizes: name -> the values that are tried."""
    combined = [dict(zip(sizes, values, strict=True)) for values in product(*sizes.values())]
    return [Configuration(*each) for each in product(modes, lanes, combined)]


def plan(names: Sequence[str], seeds: Iterable[int], configurations: Iterable[Configuration]) -> list[Task]:
    """The tasks, each once, those of one subject together: a training's reference is recorded once for several of them."""
    tasks: dict[str, Task] = {}
    for configuration, seed in product(configurations, seeds):
        for subject in sorted({CATALOGUE[name].answer.subject for name in names}):
            if subject.startswith("training") == (configuration.mode == "check"):
                continue
            where = {"seed": seed, "lane": configuration.lane, "mode": configuration.mode,
                     "sizes": dict(sorted(configuration.sizes.items())) if _has_sizes(subject) else {}}
            here = [{"kind": "fault", "name": name, **where} for name in names if CATALOGUE[name].answer.subject == subject]
            for task in [*here, {"kind": "healthy", "name": subject, **where}]:
                tasks.setdefault(repr(task), task)
    return list(tasks.values())


def _has_sizes(subject: str) -> bool:
    return subject.startswith(("training", *NETWORKS))


def do(task: Mapping[str, Any]) -> dict[str, Any]:
    """The mark, as JSON."""
    free = "free" if task["mode"] == "check" else task["mode"]
    setting = Setting(task["seed"], task["lane"], free, tuple(sorted(task["sizes"].items())))
    if task["kind"] == "healthy":
        report = sit_healthy(task["name"], setting)
        complete = report.verdict == "same" and not report.uncompared
        first = report.first or next(iter(report.uncompared), None)
        return mark_healthy(task["name"], "same" if complete else "diverged", headline=first).to_json()
    grade, _ = sit(CATALOGUE[task["name"]], setting)
    return mark_fault(grade).to_json()


def mark(result: Mapping[str, Any]) -> Mark:
    """The mark that `do` made."""
    return Mark(**result)


def exam(faults: Iterable[str], subjects: Iterable[str]) -> list[Task]:
    """The exam itself: these faults and these healthy twins, at seed 0, in the exam's own sizes, free and in float64."""
    where = {"seed": 0, "lane": "float64", "sizes": {}}
    tasks = [("fault", name, CATALOGUE[name].answer.subject) for name in faults] + [("healthy", name, name) for name in subjects]
    return [{"kind": kind, "name": name, "mode": "free" if subject.startswith("training") else "check", **where}
            for kind, name, subject in sorted(tasks, key=lambda task: task[2], reverse=True)]


def where(task: Task) -> str:
    """A task's configuration in words, without its seed."""
    sizes = [("light" if value else "full") if name == "light" else f"{name} {value}" for name, value in task["sizes"].items()]
    return ", ".join([task["mode"], task["lane"], *sizes])

"""Events and runs made by hand: what the harness's core judges, without a framework."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from parity.numbers.arrays import Deviation, Verdict
from parity.numbers.noise import M
from parity.trace.events import Event, Key
from parity.trace.source import Site
from parity.verdict.findings import Finding, Order, Report
from parity.verdict.judge import Judge
from parity.verdict.sinks import Against, Store

PAIR = SimpleNamespace(names=None, one_sided=frozenset(), twin_source=())


def key(variable: str = "output", module: str = "net", stage: str = "forward", *, step: int = 0, phase: str | None = None,
        call: int = 0, function: str = "", occurrence: int = 0) -> Key:
    return Key(stage, step, phase, module, call, function, 0, variable, occurrence)


def event(where: Key, value: Any, order: int = 0, **measured: Any) -> Event:
    """measured: scale, unit, largest, norm."""
    array = None if value is None else np.asarray(value)
    return Event(where, order, Site("model.py", order + 1), array, **measured)


def store(*events: Event) -> Store:
    made = Store()
    for one in events:
        made.receive(replace(one))
    return made


def judged(truth: Iterable[Event], twin: Iterable[Event], floor: float = 1.0, *, run: str = "free", lane: str = "float64",
           limit: float = M, failure: Exception | None = None, pair: Any = PAIR, name: str = "net") -> Report:
    """The report of a twin's run beside the truth, with one floor for all values."""
    kept = store(*truth)
    floors = dict.fromkeys(kept.events, floor)
    against = Against(kept, floors, limit)
    for one in twin:
        against.receive(replace(one))
    report = Report(name)
    Judge(name, pair, lane, run, kept, floors, limit).judge(against, failure, report)
    report.counts = +report.counts  # without zeros
    return report


def finding(where: Key, order: int, *, lane: str = "float64", run: str = "free", verdict: Verdict = Verdict.DIVERGED,
            distance: float = 1.0) -> Finding:
    return Finding("net", lane, run, where, verdict, Order(order), Deviation(distance, (0,), 0.0, distance, 1.0, 0, 1), 1e-9)

"""One fault, in a process of its own: `python -m exams.fixes.sitting NAME SECONDS OTHERS`.

A faulty paddle_impl stands first on the path. Prints one JSON document.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from parity.mending.search import Search

FIRST_OTHER = 3  # of the seeds of weights and inputs that the search has not seen


def cases(name: str, seed: int | None) -> list[Any]:
    from parity.compare.results import Case
    from parity.ugatit import subjects
    from parity.ugatit.faults import CATALOGUE
    subject = CATALOGUE[name].answer.subject if name in CATALOGUE else name
    return [Case(subject, "train", subjects.exam_subject(subject, seed or 0))]


def training(name: str, seed: int | None) -> Any:
    from parity.ugatit import subjects
    from parity.ugatit.faults import CATALOGUE
    return subjects.exam_training(CATALOGUE[name].answer.subject, seed or 0)


def steps_of(name: str) -> int | None:
    """How many steps of a training show the fault; None where a forward and backward do."""
    from parity.ugatit.faults import CATALOGUE
    if name not in CATALOGUE or not CATALOGUE[name].answer.subject.startswith("training"):
        return None
    return max(2, CATALOGUE[name].answer.step)


def used() -> float:
    """Seconds of a processor, by all trials: what others do on the machine costs no fault its patch."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def sit(name: str, budget: float, others: int) -> dict[str, Any]:
    """What `parity fix` came to; `elsewhere`: on which of so many other seeds its patch does not hold."""
    steps = steps_of(name)
    search = Search(lambda seed: (training if steps else cases)(name, seed), budget=budget, steps=steps, clock=used)
    found, spent = search.run(), used()
    unseen = range(FIRST_OTHER, FIRST_OTHER + others) if found.verdict == "fixed" else ()
    elsewhere = [seed for seed in unseen if search.attempt(found.changes, seed=seed).verdict != "same"]
    return {"name": name, "elsewhere": elsewhere, "others": others, "cpu": spent, **found.to_json()}


if __name__ == "__main__":
    print(json.dumps(sit(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))

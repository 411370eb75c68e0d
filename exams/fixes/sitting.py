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


def sit(name: str, budget: float, others: int) -> dict[str, Any]:
    """What `parity fix` came to; `elsewhere`: on which of so many other seeds its patch does not hold."""
    search = Search(lambda seed: cases(name, seed), budget=budget)
    found = search.run()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unseen = range(FIRST_OTHER, FIRST_OTHER + others) if found.verdict == "fixed" else ()
    elsewhere = [seed for seed in unseen if search.attempt(found.changes, seed=seed).verdict != "same"]
    return {"name": name, "elsewhere": elsewhere, "cpu": used.ru_utime + used.ru_stime, **found.to_json()}


if __name__ == "__main__":
    print(json.dumps(sit(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))

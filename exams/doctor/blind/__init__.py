"""The blind exam: scripts as users write them, and what was changed in each, written before the checks had seen any of it.

A script stands in `scripts/` and is run as it is, with the doctor's three lines in it (from the sixth round on without them, by
`parity doctor SCRIPT`). A `Case` changes pieces of its text. The
faults and the healthy oddities of a round were written down together with the answer asked for, by someone who had not read the
checks, and were run once: that score stands on the page (`docs/doctor-exam.md`) beside today's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from exams.doctor.blind import eighth, fifth, first, fourth, ninth, second, seventh, sixth, tenth, third
from exams.doctor.blind.case import Answer, Case, sit

__all__ = ["FAULTS", "HEALTHY", "ROUNDS", "Answer", "Case", "Round", "sit"]


@dataclass(frozen=True)
class Round:
    """What was written at one time, and (`first_run`) what the doctor of that time said to it.

    first_run: {"faults": [{"script", "name", "said", "found", "named", "placed"}, ...],
                "healthy": [{"script", "name", "alarms"}, ...]}, in the order of the cases.
    """

    name: str
    faults: tuple[Case, ...]
    healthy: tuple[Case, ...]

    @cached_property
    def first_run(self) -> dict[str, list[dict]]:
        return json.loads((Path(__file__).parent / f"{self.name}.json").read_text())


ROUNDS = tuple(Round(module.__name__.rpartition(".")[2], module.FAULTS, module.HEALTHY)
               for module in (first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth))
FAULTS = tuple(case for one in ROUNDS for case in one.faults)
HEALTHY = tuple(case for one in ROUNDS for case in one.healthy)

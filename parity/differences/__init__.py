"""Where Paddle and torch are known to differ: each with a reproduction, its size, and an imitation in torch.

    python -m parity.differences > docs/differences.md
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from parity.declare.pair import Subject
from parity.differences import constants, defaults, exceptional, explaining, interfaces, running, sums
from parity.differences.difference import Difference, Reproduction
from parity.differences.imitation import Acted
from parity.verdict.findings import Report

ALL: tuple[Difference, ...] = tuple(entry for group in (exceptional, constants, running, sums, defaults, interfaces)
                                    for entry in group.ENTRIES)


def by_name(name: str) -> Difference:
    """The entry of that name. Raises KeyError naming those that there are."""
    for difference in ALL:
        if difference.name == name:
            return difference
    raise KeyError(f"no difference named {name!r}; there are: {', '.join(difference.name for difference in ALL)}")


def explain(subject: Subject, report: Report, registry: Iterable[Difference] = ALL, **options: Any) -> Report:
    """See `parity.differences.explaining.explain`."""
    return explaining.explain(subject, report, registry, **options)


__all__ = ["ALL", "Acted", "Difference", "Reproduction", "by_name", "explain"]

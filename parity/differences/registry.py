"""All differences, and how to find one."""

from __future__ import annotations

from parity.differences import (
    casts,
    complexes,
    constants,
    defaults,
    exceptional,
    gradients,
    interfaces,
    losses,
    norms,
    optimizers,
    pooling,
    powers,
    resizing,
    running,
    special,
    sums,
)
from parity.differences.difference import Difference

ALL: tuple[Difference, ...] = tuple(entry for group in (
    exceptional, constants, casts, pooling, powers, resizing, losses, complexes, running, sums, special, norms, optimizers,
    defaults, gradients, interfaces)
                                    for entry in group.ENTRIES)


def by_name(name: str) -> Difference:
    """The entry of that name. Raises KeyError naming those that there are."""
    for difference in ALL:
        if difference.name == name:
            return difference
    raise KeyError(f"no difference named {name!r}; there are: {', '.join(difference.name for difference in ALL)}")

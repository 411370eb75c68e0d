"""Real port bugs as patches on the twin: the explanation of the 2020 run, and the harness's own exam.

    with parity.ugatit.faults.inject("gmp_G"):
        ...  # paddle_impl now has the fault
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from parity.fixes.edit import Edit, EditError
from parity.ugatit.faults.catalogue import CATALOGUE, GROUPS, PORT2020
from parity.ugatit.faults.fault import Answer, Fault, injected

__all__ = ["CATALOGUE", "GROUPS", "PORT2020", "Answer", "Edit", "EditError", "Fault", "inject", "members"]


def inject(*names: str) -> AbstractContextManager[None]:
    """A context manager that puts these faults into the twin, together; "port2020" stands for its nine.

    Raises KeyError naming an unknown fault.
    """
    return injected(tuple(CATALOGUE[name] for name in members(*names)))


def members(*names: str) -> tuple[str, ...]:
    """The faults that these names stand for, each once. Raises KeyError naming an unknown one."""
    unknown = [name for name in names if name not in CATALOGUE and name not in GROUPS]
    if unknown:
        raise KeyError(f"no such fault: {', '.join(unknown)}; there are {', '.join([*GROUPS, *CATALOGUE])}")
    return tuple(dict.fromkeys(member for name in names for member in GROUPS.get(name, (name,))))

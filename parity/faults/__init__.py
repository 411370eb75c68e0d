"""Real port bugs as patches on the twin: the explanation of the 2020 run, and the harness's own exam.

    with parity.faults.inject("gmp_G"):
        ...  # paddle_impl now has the fault
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from parity.faults.catalogue import CATALOGUE
from parity.faults.edit import Edit, EditError
from parity.faults.fault import Answer, Fault, injected

__all__ = ["CATALOGUE", "Answer", "Edit", "EditError", "Fault", "inject"]


def inject(*names: str) -> AbstractContextManager[None]:
    """A context manager that puts these faults into the twin, together. Raises KeyError naming an unknown fault."""
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        raise KeyError(f"no such fault: {', '.join(unknown)}; there are {', '.join(CATALOGUE)}")
    return injected(tuple(CATALOGUE[name] for name in names))

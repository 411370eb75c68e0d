"""The documented name of `parity.ugatit.faults`."""

import importlib
from typing import Any

from parity.ugatit.faults import CATALOGUE, GROUPS, PORT2020, Answer, Edit, EditError, Fault, inject, members

__all__ = ["CATALOGUE", "GROUPS", "PORT2020", "Answer", "Edit", "EditError", "Fault", "inject", "members"]


def __getattr__(name: str) -> Any:
    if name in ("tally", "trials"):
        return importlib.import_module(f"parity.ugatit.faults.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

`ladder.compare` compares one subject, `lockstep.follow` two trainings; `ugatit` declares the first pair; `faults.inject` puts
known bugs into the twin; `doctor(models, optimizers)` watches one training; `cli.main` is the command line.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """`parity.doctor`, imported when it is first asked for: frameworks are heavy."""
    if name == "doctor":
        import importlib
        return importlib.import_module("parity.doctor")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

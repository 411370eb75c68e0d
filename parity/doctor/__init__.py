"""Why does my loss not go down? Three lines around a training loop, for Paddle and torch alike:

    with parity.doctor(models, optimizers) as d:
        for batch in d.watch(loader):       # the loop as it was; two or three iterations are enough for most
            training_step(batch)
    print(d)

or, without a block, `d = parity.doctor.start(models, optimizers)` before it and `d.stop()` after it. `parity doctor train.py` does
the same for an unchanged script, `parity doctor module:function` for a function that runs one step; `parity.doctor.callbacks`
where a trainer runs the loop.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from parity.doctor import callbacks
from parity.doctor.diagnosis import Diagnosis
from parity.doctor.finding import KINDS, Finding
from parity.doctor.session import Doctor

__all__ = ["KINDS", "Diagnosis", "Doctor", "Finding", "callbacks", "start"]


def start(*args: Any, **options: Any) -> Doctor:
    """Watch from here on, until the returned doctor's `stop()`: arguments as of `Doctor`."""
    return Doctor(*args, **options).start(sys._getframe(1))


class _Callable(ModuleType):
    """`parity.doctor(...)`: the package under the name that users write."""

    def __call__(self, *args: Any, **options: Any) -> Doctor:
        return Doctor(*args, **options)


sys.modules[__name__].__class__ = _Callable

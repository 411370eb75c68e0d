"""In the float64 lane, what a program names float32 is float64.

A lane runs a program in another precision than it was written for. Its weights, its inputs and what it makes without naming a
dtype follow; what it casts by name (`mask.astype("float32")`) does not, and a layer whose weights are float64 cannot take that. In
float32, as it is used, the same cast changes nothing. So a comparison in which a side raised is made again with float32 lifted.

For the same reason a constant may be 0.1 on one side, which names no dtype, and 0.1 in float32 on the other, which does. So one in
which the first divergence is no larger than such a rounding is made again with constants `Rounded`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

import numpy as np

from parity.blame import GUESTS, HOME, hand_on
from parity.messages import say

SAID = say("in float64 what the programs name float32 was float64, too: as they are they cannot run in it")
ROUNDED = say("in float64 the constants that the programs make without naming a dtype were rounded to float32, as they are where "
              "the programs are used: one side names float32 there, the other does not")

# What looks on at a program's calls, and hands them on.
_SEEING = tuple(str(Path(__file__).with_name(f"{framework}_lowering.py")) for framework in ("torch", "paddle"))


class Lifted:
    """How often, in the runs that it is handed to, float32 was float64. said: what a report says of them."""

    said = SAID

    def __init__(self) -> None:
        self.count = 0


class Rounded(Lifted):
    """How often, in such runs, what a program makes without naming a dtype was rounded to float32: of python's numbers, which then
    goes on in the lane's dtype, or of integers (a share of counts, of which torch makes the default), which goes on in float32."""

    said = ROUNDED


NEAR = 2.0 ** -20
"""What the rounding of a constant to float32 (2^-24) may come to where it first shows, relative to the largest element."""


def of_numbers(name: str, arguments: tuple, is_tensor: type) -> bool:
    """Whether a call of that function makes a constant of python's numbers: an array of numpy's has a dtype of its own, and random
    numbers are drawn alike on both sides."""
    drawn = name.startswith(("rand", "normal", "gauss", "uniform", "bernoulli", "poisson", "multinomial", "exponential", "trunc"))
    return not drawn and not any(isinstance(one, (is_tensor, np.ndarray, np.generic)) or (
        isinstance(one, (list, tuple)) and any(isinstance(part, (is_tensor, np.ndarray, np.generic)) for part in one))
        for one in arguments)


def is_the_programs(package: str, but: str = "") -> bool:
    """Whether the program made the call that is being replaced, and not the harness. package: a framework's, whose own frames tell
    nothing, but for those of one file: what is float32 there is so on its own account."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if frame.f_code is hand_on.__code__:
            frame = frame.f_back
            if frame is None or frame.f_code.co_filename not in _SEEING:
                return True
            frame = frame.f_back
            continue
        if file == but:
            return False
        if not file.startswith(package) and file != __file__:
            return not file.startswith(HOME) or file.startswith(GUESTS)
        frame = frame.f_back
    return True


def folder_of(module: object) -> str:
    """Where a package lies, with the separator behind it: what the names of its files begin with."""
    return str(Path(module.__file__).parent) + os.sep

"""In the float64 lane, what a program names float32 is float64.

A lane runs a program in another precision than it was written for. Its weights, its inputs and what it makes without naming a
dtype follow; what it casts by name (`mask.astype("float32")`) does not, and a layer whose weights are float64 cannot take that. In
float32, as it is used, the same cast changes nothing. So a comparison in which a side raised is made again with float32 lifted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

from parity.blame import GUESTS, HOME, hand_on
from parity.messages import say

SAID = say("in float64 what the programs name float32 was float64, too: as they are they cannot run in it")


# What looks on at a program's calls, and hands them on.
_SEEING = tuple(str(Path(__file__).with_name(f"{framework}_lowering.py")) for framework in ("torch", "paddle"))


class Lifted:
    """How often, in the runs that it is handed to, float32 was float64."""

    def __init__(self) -> None:
        self.count = 0


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

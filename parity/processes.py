"""A forked process and its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> bool:
    """This process, a fork, is killed when its parent ends (on Linux). -> whether the parent is still there."""
    if not sys.platform.startswith("linux"):
        return True
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent

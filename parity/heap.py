"""Giving freed memory back to the system."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable


def give_back() -> None:
    """Returns what the program has freed, where the C library would hold on to it; some milliseconds.

    glibc keeps freed memory in the heap of the thread that took it, up to half of the whole where two programs take turns; no
    other thread can use it. Only Linux's glibc has this; elsewhere nothing happens.
    """
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], object]:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return trim or (lambda pad: None)

"""The heap of a process that runs programs with large tensors (Linux with glibc; elsewhere nothing happens)."""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # of mallopt(3)
LARGE = 1 << 24  # bytes


def for_large_tensors() -> None:
    """Sets up this process's heap for programs with large tensors; to be called by the process's owner, not by a library.

    One heap for all threads, else what one of two programs in turns frees the other cannot use. Large blocks come straight from the
    system and go straight back to it. What is freed of the rest is kept until `give_back`, as taking it anew costs a page fault for
    each 4 KiB: an eighth of a float64 training step of the twin at 128 pixels.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(ARENA_MAX, 1)
        libc.mallopt(MMAP_THRESHOLD, LARGE)
        libc.mallopt(TRIM_THRESHOLD, (1 << 31) - 1)


def give_back() -> None:
    """Returns what the program has freed, where the C library would hold on to it; some milliseconds."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@functools.cache
def _glibc() -> Any:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None

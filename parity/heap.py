"""The heap of a process that runs programs with large tensors (Linux with glibc; elsewhere nothing happens)."""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # of mallopt(3)


def keep_freed(below: int) -> None:
    """Lets this process keep the memory of blocks of fewer bytes than `below` when they are freed, until `give_back`.

    Taking it anew costs a page fault for each 4 KiB: an eighth of a float64 training step of the twin at 128 pixels. Larger blocks
    come straight from the system and go straight back. All threads share one heap, else what one of two programs in turns
    frees the other cannot use. For the process's owner to call, not for a library.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(ARENA_MAX, 1)
        libc.mallopt(MMAP_THRESHOLD, below)
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

"""Memory of a piece of work, in a process of its own (Linux)."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any


def status(field: str, process: int | str = "self") -> int:
    """A field of /proc/<process>/status, in bytes. Raises OSError where there is none (no Linux, or a process that has ended)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise OSError(f"this needs Linux: no {field} in /proc/{process}/status")


class Peak:
    """The peak resident set of this process from now on, above what is resident now."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        self._before = status("VmRSS")

    def bytes(self) -> int:
        return status("VmHWM") - self._before


def fresh(initializer: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """A process of its own, in which nothing has run but the initializer."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer)


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns, in a fresh process."""
    with fresh() as process:
        return process.submit(work, *arguments).result()

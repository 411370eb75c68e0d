"""How a command ends: exit codes, and a SIGTERM that leaves nothing half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SAME, DIVERGED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
UNDECIDED = BAD_INPUT


class Terminated(BaseException):
    """SIGTERM, as an exception: so that nothing half done is left."""


def exit_code(summary: Any) -> int:
    """Of anything with a verdict. Undecided is no pass: nobody has seen that the two are the same."""
    return {"diverged": DIVERGED, "undecided": UNDECIDED}.get(summary.verdict, SAME)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM unwinds the block, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:  # Paddle's handler, which is none of Python's, is not put back
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)

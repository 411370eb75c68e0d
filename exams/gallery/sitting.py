"""One command, or one plain run, in a process of its own: what it said, how it ended, what it cost.

The parent has imported the libraries and run nothing; a child is forked for each,
so imports are paid for once and no model meets
what another left behind.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PRELOAD = ("torch", "torch._dynamo", "paddle", "timm.models", "torchvision.models", "transformers", "paddleclas",
           "paddlenlp.transformers",
           "parity.cli.main", "parity.compare.runner", "parity.declare.port", "parity.differences.explaining",
"exams.gallery.truth")
CPU_SECONDS = 1800  # a pair at its official size takes minutes, all others seconds; what takes longer is wrong by itself
DATA = 10 << 30


@dataclass(frozen=True)
class Ended:
    """code: the exit status, minus a signal's number where one ended it. seconds: of the CPU. megabytes: the peak."""

    code: int
    said: str
    seconds: float
    megabytes: float


def preload() -> None:
    for name in PRELOAD:
        importlib.import_module(name)


def forked(act: Callable[[], int], cpu_seconds: int = CPU_SECONDS) -> Ended:
    """Run `act` in a child; its return value is the exit code."""
    with tempfile.TemporaryFile() as text:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            os.dup2(text.fileno(), 1)
            os.dup2(text.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
            resource.setrlimit(resource.RLIMIT_DATA, (DATA, DATA))
            code = 3
            try:
                code = act()
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status, usage = os.wait4(child, 0)
        text.seek(0)
        said = text.read().decode("utf-8", errors="replace")
    return Ended(os.waitstatus_to_exitcode(status), said, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def command(*arguments: str) -> Callable[[], int]:
    """`parity` as the command line calls it."""
    def act() -> int:
        from parity.cli.main import main
        return main(list(arguments))
    return act


def file_of(name: str) -> Path:
    return Path(__file__).parent / "pairs" / f"{name}.py"

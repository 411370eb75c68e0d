"""A command in a child process: where a framework ends the process, the parent says so, and where it happened."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from parity.blame import is_below, is_installed
from parity.files import LAST_WORDS
from parity.processes import end_with


def _those_there_are(*names: str) -> tuple[signal.Signals, ...]:
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))  # Windows has few


CRASHES = _those_there_are("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$', re.MULTILINE)
_WAITED_FOR = _those_there_are("SIGINT", "SIGTERM", "SIGCHLD")


def supervised(command: Callable[[], int], crashed: int) -> int:
    """What the command returns. crashed: the exit code where a fault of machine code (a segmentation fault, an abort) ended its
    process; the reason goes to stderr then. Other than on Linux, and where other threads run already, the command runs here."""
    if not sys.platform.startswith("linux") or threading.active_count() > 1:
        return command()
    words = tempfile.TemporaryFile("w+")  # noqa: SIM115 (the child writes in it until its last moment)
    parent = os.getpid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    child = os.fork()
    if child == 0:
        if not end_with(parent):  # who kills the command means this process
            os._exit(crashed)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.environ[LAST_WORDS] = f"{os.getpid()}/{words.fileno()}"  # for Paddle, which takes the signals to itself
        faulthandler.enable(words)
        return command()
    status = _waited_for(child)
    if not os.WIFSIGNALED(status):
        return os.waitstatus_to_exitcode(status)
    ended_by = os.WTERMSIG(status)
    sys.stderr.write(f"\nparity: {_told(ended_by, words)}\n")
    return crashed if ended_by in CRASHES else 128 + ended_by


def _waited_for(child: int) -> int:
    """How it ended. Signals that are sent to the parent are handed on; the terminal sends them to both."""
    while True:
        found = signal.sigwaitinfo(_WAITED_FOR)
        if found.si_signo != signal.SIGCHLD:
            if found.si_code <= 0:  # by a process, not by the kernel
                os.kill(child, found.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status


def _told(ended_by: int, words: TextIO) -> str:
    name = signal.Signals(ended_by).name
    if ended_by == signal.SIGKILL:
        return f"the process was killed ({name}): no verdict. Where nobody did that, the machine ran out of memory"
    words.seek(0)
    said = words.read().partition("Current thread")[2].partition("\nThread ")[0]
    frames = [(found["file"], int(found["line"]), found["function"]) for found in _FRAME.finditer(said)]
    not_the_users = [Path(__file__).absolute().parents[1], Path(os.__file__).parent]
    users = next(((file, line) for file, line, _ in frames if not (
        file.startswith("<") or is_installed(file) or is_below(Path(file), not_the_users))), None)
    inside = f" inside {frames[0][2]} ({frames[0][0]}:{frames[0][1]})" if frames else ""
    called = f", called from {users[0]}:{users[1]}" if users and users != frames[0][:2] else ""
    return (f"machine code ended the process ({name}){inside}{called}: no verdict. That is a fault of the framework or of an "
            f"extension, which Python cannot catch; run that line by itself to see whether it needs parity for it")

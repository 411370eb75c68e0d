"""One pair through the public command, in a process of its own: what `parity compare` or `parity steps` says, or how it ended.

A server that imported the frameworks and did nothing with them forks for each pair, so that whatever a pair does to its process
is its own affair, and imports are paid for once.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exams.verdicts.program import Pair

PRELOAD = ["jinja2", "torch", "torch._dynamo", "paddle", "parity.cli.main", "parity.compare.runner", "parity.declare.port",
           "parity.differences.explaining", "parity.steps.follow"]
TIMEOUT = 240  # seconds; a pair takes one to five
STEPS = 3
SAME, DIFFERS, UNDECIDED = 0, 1, 2  # exit codes of the command


@dataclass(frozen=True)
class Answer:
    """What the command said to a pair.

    verdict: same, differs, undecided, or crash. placed: the first divergence is at the mistake.
    """

    pair: Pair
    verdict: str
    placed: bool
    said: str
    seconds: float

    @property
    def outcome(self) -> str:
        """The verdict in the exam's words."""
        if self.verdict in ("undecided", "crash"):
            return self.verdict
        if self.pair.answer == "same":
            return "right" if self.verdict == "same" else "false alarm"
        return "false green" if self.verdict == "same" else "placed" if self.placed else "found"


def sit(pair: Pair, options: Sequence[str] = ()) -> Answer:
    """Run the command on a pair. options: more of its command line (--quick, --lane float64)."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="verdicts-") as name:
        folder = Path(name)
        file, out, text = pair.write(folder), folder / "report.json", folder / "said.txt"
        command = ["steps", f"{file}:pair", "--steps", str(STEPS)] if pair.program.training else ["compare", f"{file}:pair"]
        ended = _forked([*command, *options, "--json", str(out)], folder, text)
        said = text.read_text(encoding="utf-8", errors="replace")
        try:
            report = json.loads(out.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            report = None
    verdict = {SAME: "same", DIFFERS: "differs"}.get(ended, "crash")
    if ended == UNDECIDED and report is not None and "fault of parity" not in said:
        verdict = "undecided"
    placed = verdict == "differs" and report is not None and _placed(pair, report, said)
    return Answer(pair, verdict, placed, _gist(said, report, ended), time.perf_counter() - started)


def _forked(command: list[str], folder: Path, text: Path) -> int | str:
    """The exit code, or how the process ended without one."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(PRELOAD)
    child = processes.Process(target=_command, args=(command, folder, text))
    child.start()
    child.join(TIMEOUT)
    if child.is_alive():
        child.kill()
        child.join()
        return f"took more than {TIMEOUT} s"
    code = child.exitcode
    return code if code >= 0 else f"the process died of {signal.Signals(-code).name}"


def _command(command: list[str], folder: Path, text: Path) -> None:
    """In the child: the command, its output into a file."""
    handle = os.open(text, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.chdir(folder)
    faulthandler.dump_traceback_later(TIMEOUT - 10, file=sys.__stderr__)  # who hangs says where
    code = 70
    try:
        from parity.cli import main
        code = main(command)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _reports(report: Any) -> list[dict]:
    """A report and those inside it (of each mode) that have a first divergence."""
    found = []
    if isinstance(report, dict):
        if isinstance(report.get("first"), dict):
            found.append(report)
        for value in report.values():
            found += _reports(value) if isinstance(value, (dict, list)) else []
    elif isinstance(report, list):
        for value in report:
            found += _reports(value)
    return found


def _placed(pair: Pair, report: dict, said: str) -> bool:
    """Whether the first divergence names the mistake's line: of the twin, or of the call in the reference, where the two files
    are alike line for line."""
    lines = pair.places()
    named = {(one["first"].get("twin") or {}).get("line") for one in _reports(report)}
    if len(pair.port.splitlines()) == len(pair.program.torch.splitlines()):
        named |= {int(line) for line in re.findall(r"called at +\S+_torch\.py:(\d+)", said)}
        named |= {(one["first"].get("reference") or {}).get("line") for one in _reports(report)}
    return bool(named & lines)


def _gist(said: str, report: dict | None, ended: int | str) -> str:
    """The first lines that say something."""
    if isinstance(ended, str):
        return f"{ended}: {said[max(0, said.find('Timeout (')):][:2000]}"
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("W1")]
    first = next((n for n, line in enumerate(lines) if line.startswith("First divergence")), 0)
    lines = lines[first:]
    if report is None:
        return f"exit {ended}: " + " | ".join(lines[-3:])[:400]
    return f"exit {ended}: " + " | ".join(lines[:12])[:700]

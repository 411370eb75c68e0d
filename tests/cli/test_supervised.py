"""A process that machine code ends is reported as that, with the line; every other end is the command's own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def started(tmp_path, body, head=""):
    """A script whose command is `body`."""
    script = tmp_path / "script.py"
    script.write_text(f"import ctypes, os, signal, sys, time\nfrom parity.cli.supervised import supervised\n{head}\n"
                      f"def command():\n    {body}\n\nsys.exit(supervised(command, 2))\n")
    return subprocess.Popen([sys.executable, str(script)], env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(*args):
    process = started(*args)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.mark.parametrize("head", ["", "import parity.frameworks.paddle_side"])
@pytest.mark.parametrize(("body", "name"), [("ctypes.string_at(0)", "SIGSEGV"), ("os.abort()", "SIGABRT")])
def test_a_crash_is_told_with_its_line(tmp_path, body, name, head):
    # Paddle has to be imported behind the fork, as every command does.
    code, said = ended(tmp_path, f"{head or 'pass'}; {body}")
    assert code == 2 and f"machine code ended the process ({name})" in said and "script.py:5" in said


def test_who_kills_the_process_is_told_of(tmp_path):
    code, said = ended(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert code == 128 + signal.SIGKILL and "killed (SIGKILL)" in said


@pytest.mark.parametrize(("body", "code"), [("return 0", 0), ("return 1", 1), ("sys.exit(3)", 3)])
def test_other_ends_are_silent(tmp_path, body, code):
    assert ended(tmp_path, body) == (code, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command(tmp_path, number):
    process = started(tmp_path, "print('up', flush=True); time.sleep(60)",
                      f"signal.signal({int(number)}, lambda *_: sys.exit(143))")
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 143


def test_nothing_goes_on_without_its_parent(tmp_path):
    process = started(tmp_path, "print(os.getpid(), flush=True); time.sleep(60)")
    child = int(process.stdout.readline())
    process.kill()
    process.communicate(timeout=30)  # returns once the child has let go of the pipes
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]

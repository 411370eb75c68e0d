"""What other systems have not, or call otherwise: Windows' paths and signals, tried here."""

from __future__ import annotations

import ast
import importlib.util
import signal
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from parity.blame import is_below, is_installed
from parity.cli import supervised

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("path", "folder", "below"), [
    (PureWindowsPath(r"C:\Users\me\port\net.py"), PureWindowsPath(r"c:\users\ME\port"), True),
    (PureWindowsPath("C:/Users/me/port/net.py"), PureWindowsPath(r"C:\Users\me\port"), True),
    (PureWindowsPath(r"C:\Users\me\portable\net.py"), PureWindowsPath(r"C:\Users\me\port"), False),
    (PureWindowsPath(r"D:\port\net.py"), PureWindowsPath(r"C:\port"), False),
    (PurePosixPath("/home/me/port/net.py"), PurePosixPath("/home/me/port"), True),
    (PurePosixPath("/home/me/port"), PurePosixPath("/home/me/port"), True),
    (PurePosixPath("/home/me/portable/net.py"), PurePosixPath("/home/me/port"), False),
    (PurePosixPath("/home/me/port/net.py"), PurePosixPath("/"), True),
])
def test_below_is_told_by_the_parts_of_a_path(path, folder, below):
    assert is_below(path, [folder]) is below and is_below(path, []) is False


def test_an_installed_file_is_told_by_the_parts_of_its_path():
    assert is_installed("/usr/lib/python3/dist-packages/x.py") and not is_installed("/home/me/my-site-packages/x.py")


def test_the_command_starts_where_there_are_few_signals(monkeypatch):
    for name in ("SIGBUS", "SIGCHLD", "SIGKILL", "pthread_sigmask", "sigwaitinfo"):
        monkeypatch.delattr(signal, name)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("elsewhere", supervised.__file__)
    elsewhere = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(elsewhere)
    assert elsewhere.supervised(lambda: 3, 2) == 3 and signal.SIGSEGV in elsewhere.CRASHES


def test_no_path_is_cut_at_a_slash():
    """`path.startswith(folder + "/")` is never true on Windows: `is_below` asks the parts."""
    wrong = []
    for package in ("parity", "weights_convert"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("startswith", "endswith", "split", "rsplit"):
                    glued = [one for one in ast.walk(node) if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add)
                             and any(getattr(side, "value", None) == "/" for side in (one.left, one.right))]
                    wrong += [f"{file.relative_to(ROOT)}:{one.lineno}" for one in glued]
    assert wrong == []

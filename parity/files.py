"""Output files that appear whole or not at all, and the error for what a user gave us and we cannot use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

LAST_WORDS = "PARITY_LAST_WORDS"
"""Environment variable: process/file descriptor, where a process that machine code ends leaves where it was."""


class InputError(Exception):
    """Something given by the user cannot be used. The message says what was expected, what was found, and what to do."""


def check_writable(path: str | Path) -> Path:
    """The path, if a file can be written there: asked before the work starts, not after. Raises InputError."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: expected the name of a file to write, found a folder; add a file name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: expected an existing folder to write into, there is no folder {path.parent}; make it")
    try:
        descriptor, trial = tempfile.mkstemp(prefix=".parity-", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot write here ({error.strerror}); choose another place") from error
    os.close(descriptor)
    os.unlink(trial)
    return path


def make_folder(path: Path, use: str, remedy: str = "choose another") -> Path:
    """The folder, made where it is not there. use: what it is for ("to write into"). Raises InputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: expected a folder {use}, cannot make it ({error.strerror}); {remedy}") from error
    return path


def write(path: str | Path, content: str | bytes) -> None:
    """Write a file under another name, then rename it: a reader never sees half of it. Raises InputError."""
    path = check_writable(path)
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(prefix=".parity-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(f"{path}: cannot write ({error.strerror}); nothing was changed") from error
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

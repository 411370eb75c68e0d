"""A file that somebody asks to read."""

import mmap
from pathlib import Path

from .errors import CheckpointError, brief


def existing_file(path: str | Path) -> Path:
    """The path, if there is a file with something in it. Raises CheckpointError."""
    path = Path(path)
    try:
        if path.is_dir():
            raise CheckpointError(f"{path}: expected a file, found a folder; give the checkpoint file itself")
        if not path.exists():
            raise CheckpointError(f"{path}: no such file; check the path")
        if not path.is_file():
            raise CheckpointError(
                f"{path}: expected a regular file, found a device or a pipe; copy it to a file first"
            )
        with open(path, "rb") as file:
            if not file.read(1):
                raise CheckpointError(f"{path}: the file is empty; copy or download it again")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({brief(error)})") from error
    return path


def mapped(path: Path) -> memoryview:
    """The file's bytes, read-only, mapped into memory for as long as a view of them is alive.

    They cost no memory of their own. (Who cuts the file short while it is read ends the process: so the system has it.)
    """
    with open(path, "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

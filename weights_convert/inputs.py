"""A file that somebody asks to read."""

from pathlib import Path

from .errors import CheckpointError, brief


def existing_file(path: str | Path) -> Path:
    """The path, if there is a file with something in it. Raises CheckpointError."""
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a file, found a folder; give the checkpoint file itself")
    if not path.exists():
        raise CheckpointError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise CheckpointError(
            f"{path}: expected a regular file, found a device or a pipe; copy it to a file first"
        )
    try:
        with open(path, "rb") as file:
            if not file.read(1):
                raise CheckpointError(f"{path}: the file is empty; copy or download it again")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({brief(error)})") from error
    return path

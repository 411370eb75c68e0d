"""Files that appear all together or not at all."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import CheckpointError, brief


class Staging:
    """`with Staging(folder) as stage:` - files written to `stage.path(name)` appear in `folder` when the
    block ends well.

    They are written to a hidden subfolder, flushed to the disk, then renamed in the order in which their
    paths were asked for, so a receipt asked for last vouches for what is there. On any error,
    KeyboardInterrupt included, what was renamed is put back and nothing is left behind; an OSError leaves as
    CheckpointError.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._names: list[str] = []
        self._created: list[Path] = []

    def path(self, name: str) -> Path:
        """Where to write the file that will be `folder/name`."""
        if Path(name).name != name or name in ("", ".."):
            raise CheckpointError(f"{self.folder}: a plain file name is needed, not {name!r}")
        self._names.append(name)
        return self._stage / name

    def __enter__(self) -> "Staging":
        try:
            with _uninterrupted():
                self._make_folder()
                self._stage = Path(tempfile.mkdtemp(prefix=".converting-", dir=self.folder))
        except OSError as error:
            self._remove_folders()
            raise self._error(error) from error
        except BaseException:  # the signal that had to wait
            self._clear()
            raise
        return self

    def __exit__(self, kind, error, traceback) -> None:
        with _uninterrupted():
            self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        published = False
        try:
            if error is None:
                self._publish()
                published = True
        except OSError as failed:
            raise self._error(failed) from failed
        finally:
            shutil.rmtree(self._stage, ignore_errors=True)
            if not published:
                self._remove_folders()
        if isinstance(error, OSError):
            raise self._error(error) from error

    def _clear(self) -> None:
        shutil.rmtree(self._stage, ignore_errors=True)
        self._remove_folders()

    def _publish(self) -> None:
        for name in self._names:
            _flush(self._stage / name)
        backups = self._stage / "replaced"
        backups.mkdir()
        done = []
        try:
            for name in self._names:
                target = self.folder / name
                done.append((target, backups / name, os.path.lexists(target)))
                if os.path.lexists(target):
                    _keep(target, backups / name)
                os.replace(self._stage / name, target)
            _flush(self.folder)
        except BaseException:
            for target, backup, had_one in reversed(done):
                if not had_one:
                    target.unlink(missing_ok=True)
                elif os.path.lexists(backup):
                    os.replace(backup, target)
            raise

    def _make_folder(self) -> None:
        missing = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._created.append(folder)

    def _remove_folders(self) -> None:
        for folder in reversed(self._created):
            try:
                folder.rmdir()
            except OSError:  # somebody else put something there meanwhile: then it is theirs
                return

    def _error(self, error: OSError) -> CheckpointError:
        return CheckpointError(
            f"{self.folder}: cannot write ({brief(error)}); nothing was changed; "
            "free space or choose another place"
        )


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C, and SIGTERM where it raises, wait until the block has ended: it is short, and half of it is what nobody wants."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread is ever interrupted
        yield
        return
    pending = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: before for number, before in handlers.items() if callable(before)}
    for number in handlers:
        signal.signal(number, lambda *arguments: pending.append(arguments))
    try:
        yield
    finally:
        for number, before in handlers.items():
            signal.signal(number, before)
    if pending:
        handlers[pending[0][0]](*pending[0])


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _keep(target: Path, backup: Path) -> None:
    """A second name for the file, so that it is never missing; a rename where the disk knows no links."""
    if target.is_dir() and not target.is_symlink():
        raise IsADirectoryError(21, f"{target.name} is a directory", str(target))
    try:
        os.link(target, backup, follow_symlinks=False)
    except OSError:
        os.replace(target, backup)

"""Files that appear all together or not at all."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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
        self._signals = _Signals(Staging.__enter__, Staging.__exit__)

    def path(self, name: str) -> Path:
        """Where to write the file that will be `folder/name`."""
        if Path(name).name != name or name in ("", ".."):
            raise CheckpointError(f"{self.folder}: a plain file name is needed, not {name!r}")
        self._names.append(name)
        return self._stage / name

    def __enter__(self) -> "Staging":
        self._signals.hold()
        try:
            self._make_folder()
            self._stage = Path(tempfile.mkdtemp(prefix=".converting-", dir=self.folder))
        except BaseException as error:
            self._remove_folders()
            self._signals.give_back()
            if isinstance(error, OSError):
                raise self._error(error) from error
            raise
        try:
            self._signals.deliver()
        except BaseException:
            self._clear()
            self._signals.give_back()
            raise
        self._signals.let_through = True
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._signals.let_through = False
        try:
            self._leave(error)
        finally:
            self._signals.give_back()
            self._signals.deliver()

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


class _Signals:
    """Ctrl-C, and SIGTERM where it raises, wait while a folder is set up or published: that is short, and half of it is what
    nobody wants. In between they go through.

    `bordering`: functions in whose own frames they wait, too. Python looks for signals when it enters a function, before its
    first line, and there the block's end has begun while nothing of ours runs yet.
    """

    def __init__(self, *bordering: Callable):
        self._codes = {function.__code__ for function in bordering}
        self._before: dict[int, Callable] = {}
        self.waiting: list[tuple] = []
        self.let_through = False

    def hold(self) -> None:
        """From here on they wait."""
        if threading.current_thread() is threading.main_thread():  # only the main thread is ever interrupted
            found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            self._before = {number: before for number, before in found.items() if callable(before)}
            for number in self._before:
                signal.signal(number, self._arrived)

    def give_back(self) -> None:
        """To whoever had them; all of them, even if one arrives right then."""
        self.let_through = False
        with ExitStack() as stack:
            for number, before in self._before.items():
                stack.callback(signal.signal, number, before)

    def deliver(self) -> None:
        """The first that waited, which may raise."""
        if self.waiting:
            number, frame = self.waiting.pop(0)
            self._before[number](number, frame)

    def _arrived(self, number: int, frame: Any) -> None:
        if self.let_through and (frame is None or frame.f_code not in self._codes):
            self._before[number](number, frame)
        else:
            self.waiting.append((number, frame))


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

"""Files that appear all together or not at all."""

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .errors import CheckpointError, brief

_PREFIX = ".converting-"
_LOCK, _JOURNAL, _REPLACED = ".lock", ".journal", ".replaced"  # beside what is staged


class Staging:
    """`with Staging(folder) as stage:` - files written to `stage.path(name)` appear in `folder` when the
    block ends well.

    They are written to a hidden subfolder, flushed to the disk, then renamed in the order in which their
    paths were asked for, so a receipt asked for last vouches for what is there. On any error,
    KeyboardInterrupt included, what was renamed is put back and nothing is left behind; an OSError leaves as
    CheckpointError. What a killed process left is put back by the next Staging of that folder (`recover`).

    Args:
        kept: files that must not be replaced, by whatever name (what is being read).
    """

    def __init__(self, folder: str | Path, kept: Iterable[Path] = ()):
        self.folder = Path(folder)
        self._kept = list(kept)
        self._names: list[str] = []
        self._created: list[Path] = []
        self._signals = _Signals(Staging.__enter__, Staging.__exit__)

    def path(self, name: str) -> Path:
        """Where to write the file that will be `folder/name`. Raises CheckpointError where that is one of `kept`."""
        if not _is_plain(name) or name in (_LOCK, _JOURNAL, _REPLACED):
            raise CheckpointError(f"{self.folder}: a plain file name is needed, not {name!r}")
        target = self.folder / name
        if target.exists() and any(target.samefile(kept) for kept in self._kept):
            raise CheckpointError(f"{target}: is what is being read, and would be replaced; nothing was changed; choose another "
                                  "place, or replace it on purpose (--force)")
        self._names.append(name)
        return self._stage / name

    def __enter__(self) -> "Staging":
        self._signals.hold()
        try:
            self._make_folder()
            recover(self.folder)
            self._stage, self._lock = _claimed(self.folder)
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
            self._clear_stage()
            if not published:
                self._remove_folders()
        if isinstance(error, OSError):
            raise self._error(error) from error

    def _clear(self) -> None:
        self._clear_stage()
        self._remove_folders()

    def _clear_stage(self) -> None:
        self._lock.release()  # first: there are systems that remove no open file
        shutil.rmtree(self._stage, ignore_errors=True)

    def _publish(self) -> None:
        for name in self._names:
            _flush(self._stage / name)
        backups = self._stage / _REPLACED
        backups.mkdir()
        _write_journal(self._stage, self._names)
        try:
            for name in self._names:
                target = self.folder / name
                if os.path.lexists(target):
                    _keep(target, backups / name)
                os.replace(self._stage / name, target)
            _flush(self.folder)
        except BaseException:
            _put_back(self._stage, self.folder)
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


def recover(folder: Path) -> None:
    """Puts back and removes what killed processes left in a folder: each set of files is there as it was, or whole.

    What a living process is writing is left alone (it holds the lock of its subfolder), and so is what cannot be put back: on a
    disk without locks, or with a journal that is not ours.
    """
    for stage in folder.glob(f"{_PREFIX}*"):
        with suppress(Timeout, NotImplementedError, OSError, ValueError), FileLock(stage / _LOCK, timeout=0):
            if any((stage / name).exists() for name in _journal(stage)):  # with the last rename they are all there
                _put_back(stage, folder)
            shutil.rmtree(stage)


def _claimed(folder: Path) -> tuple[Path, FileLock]:
    """A new subfolder, and its lock, which is held."""
    while True:
        stage = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        lock = FileLock(stage / _LOCK, timeout=0)
        try:
            lock.acquire()
        except (Timeout, FileNotFoundError):  # somebody who recovers was quicker, and takes it for one that was left
            continue
        except NotImplementedError:  # a disk without locks
            return stage, lock
        if (stage / _LOCK).exists():
            return stage, lock
        lock.release()


def _write_journal(stage: Path, names: list[str]) -> None:
    """Which file of which name is about to appear; on the disk, and whole, before the first does."""
    half = stage / f"{_JOURNAL}.half"
    half.write_text(json.dumps({name: (stage / name).stat().st_ino for name in names}), encoding="utf-8")
    _flush(half)
    os.replace(half, stage / _JOURNAL)
    _flush(stage)


def _journal(stage: Path) -> dict[str, int]:
    """File name -> its number on the disk; nothing where no file has appeared yet. Raises ValueError: it is not ours."""
    try:
        found = json.loads((stage / _JOURNAL).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict) or not all(_is_plain(name) and type(number) is int for name, number in found.items()):
        raise ValueError(f"{stage}: not a journal of ours")
    return found


def _is_plain(name: str) -> bool:
    return Path(name).name == name and name not in ("", "..")


def _put_back(stage: Path, folder: Path) -> None:
    """As it was before the first rename. A file that somebody put there since is theirs."""
    for name, identity in reversed(_journal(stage).items()):
        target, backup = folder / name, stage / _REPLACED / name
        theirs = target.exists() and target.stat().st_ino != identity
        if os.path.lexists(backup):
            if not theirs:
                os.replace(backup, target)
        elif not theirs and not (stage / name).exists():
            target.unlink(missing_ok=True)


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
    on_windows = os.name == "nt"
    if on_windows and path.is_dir():
        return  # a folder cannot be opened there
    fd = os.open(path, os.O_RDWR if on_windows else os.O_RDONLY)
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

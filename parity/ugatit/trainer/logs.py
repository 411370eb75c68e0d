"""The course of a run, for people and programs: ``losses.csv`` and TensorBoard event files."""

import csv
import time
from contextlib import contextmanager
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar

from weights_convert import Staging

from .errors import TrainerError


class Log:
    """One row per step: step, lr, then every loss term. ``with Log(out, step) as log: log.write(step, lr, losses)``.

    ``step``: how many steps are done; what an earlier run logged after that is dropped from both logs. Numbers are
    written in full: the log of a resumed run equals that of an unbroken one, byte for byte.
    """

    def __init__(self, out, step):
        self.path = Path(out) / "losses.csv"
        self.done = step
        self._keep()
        self._file = self.path.open("a", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file, lineterminator="\n")
        # Not by a SummaryWriter: on a full disk its thread dies, and who logs waits for it for ever. The suffix, as the file's name
        # has but the second in which it was opened, and a second one would replace it.
        board = Path(out) / "tensorboard"
        board.mkdir(exist_ok=True)
        with self._on_disk():
            self._board = EventsWriter(str(board / "events"), filename_suffix=f".{step:07d}")
            if step:  # what an earlier run logged from here on is not shown
                self._board.write_event(Event(step=step + 1, file_version="brain.Event:2"))
                self._board.write_event(Event(step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def write(self, step, lr, losses):
        """losses: name -> float."""
        with self._on_disk():
            if self._file.tell() == 0:
                self._rows.writerow(["step", "lr", *losses])
            self._rows.writerow([step, repr(lr), *map(repr, losses.values())])
            self._file.flush()
            for name, value in {"lr": lr, **losses}.items():
                self._board.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._on_disk():
            try:
                self._file.close()
            finally:
                self._board.close()

    @contextmanager
    def _on_disk(self):
        try:
            yield
        except OSError as error:
            raise TrainerError(f"{self.path}: cannot be written ({error.strerror}); free space and resume the run") from error

    def _keep(self):
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        try:
            kept = [line for number, line in enumerate(lines)
                    if line.endswith("\n") and (number == 0 or int(line.partition(",")[0]) <= self.done)]
        except ValueError:
            raise TrainerError(f"{self.path}: expected a log of steps, found something else; move it away") from None
        if len(kept) < len(lines):
            with Staging(self.path.parent) as stage:
                stage.path(self.path.name).write_text("".join(kept), encoding="utf-8", newline="")


def read_losses(path):
    """A ``losses.csv`` as column -> list of floats."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}

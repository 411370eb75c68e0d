"""The course of a run, for people and programs: ``losses.csv`` and TensorBoard event files."""

import csv
from pathlib import Path

from tensorboardX import SummaryWriter

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
        # The suffix, as the file's name has but the second in which it was opened, and a second one would replace it.
        self._board = SummaryWriter(str(Path(out) / "tensorboard"), purge_step=step + 1 if step else None,
                                    filename_suffix=f".{step:07d}")

    def write(self, step, lr, losses):
        """losses: name -> float."""
        if self._file.tell() == 0:
            self._rows.writerow(["step", "lr", *losses])
        self._rows.writerow([step, repr(lr), *map(repr, losses.values())])
        self._file.flush()
        self._board.add_scalar("lr", lr, step)
        for name, value in losses.items():
            self._board.add_scalar(name, value, step)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._board.close()

    def _keep(self):
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        try:
            kept = [line for number, line in enumerate(lines)
                    if line.endswith("\n") and (number == 0 or int(line.partition(",")[0]) <= self.done)]
        except ValueError:
            raise TrainerError(f"{self.path}: expected a log of steps, found something else; move it away") from None
        self.path.write_text("".join(kept), encoding="utf-8")


def read_losses(path):
    """A ``losses.csv`` as column -> list of floats."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}

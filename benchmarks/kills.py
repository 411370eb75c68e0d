"""Nothing lost, nothing left: commands that write are killed at random moments (kill -9), on a disk that may fill up.

    python -m benchmarks.kills --minutes 60 --out docs/nothing-lost.md    # as root: a tmpfs is mounted, so that it can be full
    python -m benchmarks.kills --only train --trials 20 --seed 7

Each trial is a command in a fork of this process, with files there that are not its own, and often with what an earlier command
has left. How it is stopped is drawn:

    time    killed at a moment that is uniform over the time it takes
    call    killed before its n-th call that makes, opens, renames or removes a file; n is uniform over all of them
    full    not killed: somebody else fills the disk at such a moment
    both    filled, then killed

Then nothing may be lost: what was there before is, to the bit; what the command has finished can be read; and what cannot be read
whole does not pretend to be. The disk has room again, and the user's next start is made: it succeeds, with the result of a run that
was never stopped, to the bit, and nothing is left of the one that was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

CALLS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate", "shutil.rmtree", "tempfile.mkstemp",
         "tempfile.mkdtemp")
WAYS = ("time", "call", "full", "both")
DISK = 96  # MiB
ROOM = (0, 4 << 10, 64 << 10, 1 << 20)  # bytes that a full disk has left
SIZES = ("--img-size", "96", "--ch", "1", "--n-blocks", "1", "--light", "--print-freq", "2", "--save-freq", "1")
STEPS = 2


class Lost(Exception):
    """What the trial shows to be lost, or left."""


@dataclass(frozen=True)
class Command:
    """One that writes. before: makes what is there (`work`, an empty folder of the disk). argv: what is stopped; again: the next
    start, by what is found: "nothing", "a part", "whole" or "as before"; None: it is refused, as what can be read is kept. found:
    what can be read now; raises Lost."""

    name: str
    before: Callable[[Path], None]
    argv: Callable[[Path], list[str]]
    again: Callable[[Path, str], list[str] | None]
    found: Callable[[Path], str]


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--trials", default=1000, help="Of each command, at most.")
@click.option("--minutes", default=60.0, help="No trial begins later.")
@click.option("--only", multiple=True, help="A command's name.")
@click.option("--seed", default=0)
@click.option("--out", type=click.Path(dir_okay=False), help="Write the page.")
def main(trials: int, minutes: float, only: tuple[str, ...], seed: int, out: str | None) -> None:
    begun, rng = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="parity-kills-") as fixed, disk() as work:
        commands = [command for command in prepared(Path(fixed)) if not only or command.name in only]
        sittings = [Sitting.of(command, work) for command in commands]
        for number in range(trials):  # the commands take turns
            for sitting in sittings:
                if time.monotonic() - begun < 60 * minutes:
                    sitting.trial(WAYS[number % len(WAYS)], rng)
    rows = [sitting.row for sitting in sittings]
    click.echo(table(rows))
    if out:
        Path(out).write_text(page(rows, seed, time.monotonic() - begun), encoding="utf-8")
    sys.exit(any(row["lost"] or row["left"] for row in rows))


@contextlib.contextmanager
def disk() -> Iterator[Path]:
    """A small one of our own."""
    place = Path(tempfile.mkdtemp(prefix="parity-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
        place.rmdir()


# --- the commands ----------------------------------------------------------------------------------------------------


def prepared(fixed: Path) -> list[Command]:
    """fixed: a folder for what they read."""
    import numpy as np
    import torch
    from PIL import Image

    import paddle_impl  # noqa: F401 (a fork has it then)
    import torch_ref  # noqa: F401
    from parity.cli import main as parity_main
    from parity.recordings.format import RecordingError
    from parity.recordings.traces import Trace
    from parity.steps import stored
    from parity.ugatit.trainer.checkpoint import load_state
    from parity.ugatit.trainer.errors import TrainerError
    torch.set_num_threads(1)
    pair = fixed / "pair"
    assert parity_main(["init", str(pair)]) == 0
    sys.path.insert(0, str(pair))
    import my_torch
    for number, name in enumerate(("old", "new")):
        torch.manual_seed(number)
        torch.save(my_torch.Net().state_dict(), fixed / f"{name}.pt")
    rng = np.random.default_rng(0)
    for domain in "AB":
        (fixed / "pictures" / f"train{domain}").mkdir(parents=True)
        for number in range(2):
            picture = rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)
            Image.fromarray(picture).save(fixed / "pictures" / f"train{domain}" / f"{number}.png")
    declared = str(pair / "my_pair.py")

    def recorded(work: Path) -> str:
        try:
            trace = Trace.open(work / "out")
        except RecordingError:
            return "nothing"
        for name in trace.names:
            program = trace.program(name)
            trace.start(program.document)
            for run in program.runs.values():
                for event in run.in_order():
                    event.array  # noqa: B018 (its hash is looked at)
        return "whole" if trace.complete else "a part" if trace.programs else "nothing"

    def steps_recorded(work: Path) -> str:
        from parity.declare import port
        try:
            index, steps = stored.recorded_in(work / "out", port.training(declared))
        except RecordingError:
            return "nothing"
        count = sum(1 for step in steps if [event.array for event in step.store.in_order()])
        return "whole" if count == index["steps"] == STEPS else "a part"

    def converted(work: Path) -> str:
        receipts = {fixed / "new.pt": "whole", fixed / "old.pt": "as before"}
        said = json.loads((work / "out" / "receipt.json").read_text())
        check = ["convert", "--pair", declared, "--check", str(work / "out" / "receipt.json")]
        status, words = ended(forked(lambda: parity_main(check), work))
        if status:
            raise Lost(f"the receipt does not vouch for what is there: {words}")
        return next(word for path, word in receipts.items() if hash_of(path) in json.dumps(said))

    def convert(source: str, work: Path) -> list[str]:
        return ["convert", "--pair", declared, "--no-forward", str(fixed / f"{source}.pt"), str(work / "out")]

    def train(work: Path, steps: int = STEPS) -> list[str]:
        return ["train", "--framework", "paddle", "--data", str(fixed / "pictures"), "--out", str(work / "out"),
                "--steps", str(steps), *SIZES]

    def resumed(work: Path, steps: int = STEPS) -> list[str]:
        return [*train(work, steps), "--resume", str(work / "out")]

    def on(work: Path, found: str) -> list[str]:
        """What is done already is trained further: only so another start has anything to do."""
        return train(work) if found == "nothing" else resumed(work, STEPS + (found == "whole"))

    def trained(work: Path, atleast: int = 0) -> str:
        try:
            step = load_state(work / "out").step
        except TrainerError as error:
            if "found none" not in str(error) or atleast:
                raise Lost(str(error)) from error
            return "nothing"
        if step < atleast:
            raise Lost(f"step {atleast} was saved, and {step} is found")
        return "whole" if step >= STEPS else "a part"

    def make(argv: Callable[[Path], list[str]]) -> Callable[[Path], None]:
        def made(work: Path) -> None:
            status, said = ended(forked(lambda: parity_main(argv(work)), work))
            assert status == 0, said
        return made

    def anew(argv: Callable[[Path], list[str]]) -> Callable[[Path, str], list[str] | None]:
        """A recording of which a part can be read is not replaced by itself."""
        return lambda work, found: argv(work) if found == "nothing" else None

    def record(work: Path) -> list[str]:
        return ["record", "--side", "reference", "--pair", declared, str(work / "out")]

    def record_steps(work: Path) -> list[str]:
        return ["steps", declared, "--steps", str(STEPS), "--record", str(work / "out")]

    return [
        Command("record", lambda work: None, record, anew(record), recorded),
        Command("steps --record", lambda work: None, record_steps, anew(record_steps), steps_recorded),
        Command("convert", make(lambda work: convert("old", work)), lambda work: convert("new", work),
                lambda work, found: convert("new", work), converted),
        Command("train", lambda work: None, train,
                on, trained),
        Command("train --resume", make(lambda work: train(work, 1)), resumed,
                on, lambda work: trained(work, 1)),
    ]


# --- a trial ---------------------------------------------------------------------------------------------------------


@dataclass
class Sitting:
    """A command's trials. seconds, calls: what it takes. expected: each file's hash after the next start, by whether the stopped
    one had come to its end. row: how often it was stopped in each way, what was found then, what was lost and left."""

    command: Command
    work: Path
    seconds: float
    calls: int
    expected: dict[bool, dict[str, str]]
    row: dict

    @classmethod
    def of(cls, command: Command, work: Path) -> Sitting:
        from parity.cli import main as parity_main
        seconds, calls = 0.0, 0
        for _ in range(2):  # the first is slow
            clear(work)
            command.before(work)
            begun = time.monotonic()
            status, said = ended(forked(lambda: parity_main(command.argv(work)), work, count=True))
            seconds = time.monotonic() - begun
            assert status == 0 and command.found(work) == "whole", said
            calls = int(said.rpartition("calls ")[2])
        unfinished = listing(work)
        again(command, work, "whole", None)
        return cls(command, work, seconds, calls, {False: unfinished, True: listing(work)}, {
            "name": command.name, "trials": 0, "found": Counter(), "ways": Counter(), "lost": 0, "left": 0})

    def trial(self, way: str, rng: random.Random) -> None:
        clear(self.work)
        self.command.before(self.work)
        theirs = [self.work / "theirs.txt", *([self.work / "out" / ".theirs"] if (self.work / "out").exists() else [])]
        for path in theirs:
            path.write_text("theirs")
        try:
            self.row["ways"][way] += stopped(self.command, self.work, way, self.seconds, self.calls, rng)
            found = self.command.found(self.work)
            self.row["found"][found] += 1
            again(self.command, self.work, found,
                  self.expected[found == "whole"] | {str(path.relative_to(self.work)): hash_of(path) for path in theirs})
            if any(path.read_text() != "theirs" for path in theirs):
                raise Lost("somebody else's file")
        except (Lost, AssertionError) as error:
            self.row["left" if "left over" in str(error) else "lost"] += 1
            click.echo(f"{self.command.name}, {way}: {error}", err=True)
        self.row["trials"] += 1
        click.echo(f"{dict(self.row)}", err=True)


def stopped(command: Command, work: Path, way: str, seconds: float, calls: int, rng: random.Random) -> bool:
    """Whether it was, before its end."""
    from parity.cli import main as parity_main
    child = forked(lambda: parity_main(command.argv(work)), work, killed_at=rng.randint(1, calls) if way == "call" else None)
    if way != "call":
        time.sleep(rng.uniform(0, seconds))
        if way in ("full", "both"):
            fill(work, rng.choice(ROOM))
        if way == "both":
            time.sleep(rng.uniform(0, seconds / 4))
        if way != "full":
            os.kill(child[0], signal.SIGKILL)  # it is not waited for yet, so it is there
    status, said = ended(child)
    (work / "ballast").unlink(missing_ok=True)
    if status not in (0, 2, -signal.SIGKILL) or "Traceback" in said:
        raise Lost(f"it ended with {status}: {said[-1500:]}")
    if status == 2 and not re.search("No space left|MiB free", said):
        raise Lost(f"of a full disk it says: {said[-500:]}")
    return status != 0


def again(command: Command, work: Path, found: str, expected: dict[str, str] | None) -> None:
    """The next start, which is refused where what can be read would be replaced. expected: what must be there then, and no more."""
    from parity.cli import main as parity_main
    argv = command.again(work, found)
    status, said = ended(forked(lambda: parity_main(argv or command.argv(work)), work))
    if argv is None and (status != 2 or "choose another" not in said):
        raise Lost(f"the next start ends with {status}: {said[-500:]}")
    if argv is not None and (status or command.found(work) != "whole"):
        raise Lost(f"the next start ends with {status}: {said[-1500:]}")
    if expected is None:
        return
    there = listing(work)
    if strange := sorted(there.keys() - expected.keys()):
        raise Lost(f"left over: {', '.join(strange)}")
    if argv is not None and (odd := sorted(name for name in expected if there.get(name) != expected[name])):
        raise Lost(f"not as in a run that was never stopped: {', '.join(odd)}")


def forked(work: Callable[[], int], folder: Path, *, killed_at: int | None = None, count: bool = False) -> tuple[int, int]:
    """A child that does the work, and ends with its code: its number, and where its words can be read."""
    sys.stdout.flush()
    sys.stderr.flush()
    words = os.memfd_create("words")
    child = os.fork()
    if child:
        return child, words
    os.dup2(words, 1)
    os.dup2(words, 2)
    seen = 0

    def heard(event: str, arguments: tuple) -> None:
        nonlocal seen
        if event in CALLS and arguments and str(arguments[0]).startswith(str(folder)):
            seen += 1
            if seen == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

    if killed_at or count:
        sys.addaudithook(heard)
    try:
        code = work()
        if count:
            print(f"calls {seen}", flush=True)
    except BaseException:
        import traceback
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def ended(child: tuple[int, int]) -> tuple[int, str]:
    """Its exit code (minus the signal that killed it), and what it said."""
    number, words = child
    status = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    with os.fdopen(words, "rb") as file:
        file.seek(0)
        return status, file.read().decode(errors="replace")


def fill(work: Path, room: int) -> None:
    """The disk, but for so many bytes."""
    with contextlib.suppress(OSError), open(work / "ballast", "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    with contextlib.suppress(OSError):
        os.truncate(work / "ballast", max(0, (work / "ballast").stat().st_size - room))


def clear(work: Path) -> None:
    for path in work.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def listing(work: Path) -> dict[str, str]:
    """Each file's hash by its path, each empty folder as one; logs of TensorBoard are named by the second: those count, no more."""
    found = {}
    for path in sorted(work.rglob("*")):
        name = str(path.relative_to(work))
        if path.is_file() and "tensorboard" not in name:
            found[name] = "" if path.name == "receipt.json" else hash_of(path)  # it says when it was made
        elif path.is_dir() and not any(path.iterdir()):
            found[name] = "empty"
    return found


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the page --------------------------------------------------------------------------------------------------------


WORDS = {"record": "`record`", "steps --record": "`steps --record`", "convert": "`convert`, over an earlier conversion",
         "train": "`train`, with Paddle", "train --resume": "`train --resume`, with Paddle"}


def table(rows: list[dict]) -> str:
    lines = ["| command | trials | at a moment | at a call | disk full | full, killed | ended before | found then "
             "| lost | left over |", "| --- |" + " --- |" * 9]
    for row in rows:
        found = ", ".join(f"{what} {count}" for what, count in sorted(row["found"].items()))
        ways = " | ".join(str(row["ways"][way]) for way in WAYS)
        lines.append(f"| {WORDS[row['name']]} | {row['trials']} | {ways} | {row['trials'] - sum(row['ways'].values())} | {found} | "
                     f"{row['lost']} | {row['left']} |")
    return "\n".join(lines)


def page(rows: list[dict], seed: int, seconds: float) -> str:
    trials, kills = (sum(map(count, rows)) for count in (
        lambda row: row["trials"], lambda row: row["ways"]["time"] + row["ways"]["call"] + row["ways"]["both"]))
    return PAGE.format(table=table(rows), trials=trials, kills=kills, seed=seed, minutes=seconds / 60,
                       disk=DISK)


PAGE = """# Nothing lost, nothing left

Commands that write, killed (`kill -9`) at random moments, on a disk of {disk} MiB that may fill up meanwhile: {trials} trials,
{kills} of them kills. Made by
`python -m benchmarks.kills --minutes {minutes:.0f} --seed {seed} --out docs/nothing-lost.md`, as root, on two cores that did
other things as well.

{table}

- *At a moment*: uniform over the time that the command takes, without its imports. *At a call*: before one of its calls that make,
  open, rename or remove a file, uniform over all of them: those moments are short, and the ones that matter. *Disk full*: somebody
  else fills it at such a moment, but for 0, 4 KiB, 64 KiB or 1 MiB; the command is to say so and to end with exit code 2. *Ended
  before*: it was done sooner than what was drawn for it.
- *Found then*: what can be read afterwards, all of it, held against its hashes: nothing, a part of a recording or the state of an
  earlier step, the earlier conversion, or all.
- *Lost*: a file that was there before is not as it was (of an earlier command, or somebody else's); what was saved cannot be read;
  something pretends to be what it is not; the next start fails, or comes to other files than a run that was never stopped, bit for
  bit (states of a training, its weights, pictures and `losses.csv`; recordings; converted files).
- *Left over*: after the next start in the same folder, a file or an empty folder that a run which was never stopped does not leave.
- The next start is the same command; for a training `--resume` where a state was saved. A recording of which a part can be read is
  not replaced: the next start refuses, and removes what nobody can read.

A kill is not a power failure: what the kernel has been given is written. Checkpoints, states and a recording's values are flushed
to the disk before they are renamed, a recording's JSON files are not; that was not tried.

## What it found

The first runs of it found these; each has a test now.

- A killed `record` left its scratch files (gigabytes, for large models), and refused to start anew in a folder that held nothing
  else.
- The file that says what a recording started from, and the states of a training, could be read by their owner alone, whatever
  the umask (`safetensors` makes them so).
- On a full disk `record` and `train` ended with a traceback, and `record` left half a file.
- A training that was killed while it saved its first state could neither be resumed nor started again.
- On a full disk the log of a resumed training was emptied before it was written anew.
- After a conversion over an earlier one that was killed between two renames, `convert --check` said that the files were not the
  receipt's, which a next start would have put back.
- Where the disk was full for a moment, TensorBoard's thread died, and the training stood still for ever some hundred steps later.
- Two recordings at once in one folder mixed their files.
"""


if __name__ == "__main__":
    main()

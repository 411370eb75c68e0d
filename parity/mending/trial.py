"""One comparison in a process of its own, of a program whose source is changed in memory alone.

Each trial is a fork of this process, which has imported both frameworks and run nothing: so it starts at once, and whatever the
user's code does in it (raise, exit, hang, use up the memory, try to write a file) ends with it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import math
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parity.blame import is_installed
from parity.files import InputError
from parity.mending import hints
from parity.mending.hints import NONE, Hints
from parity.mending.overlay import overlaid
from parity.processes import end_with
from parity.trace.source import Site


@dataclass(frozen=True)
class Place:
    """A finding, as far as looking for its fix needs it. key: which value it is, spelled out. distance: how far apart."""

    said: str
    reference: Site | None
    twin: Site | None
    last_good: Site | None
    stage: str = ""
    variable: str = ""
    key: str = ""
    distance: float = math.inf
    hints: Hints = NONE

    @property
    def line(self) -> Site | None:
        """Where it is made, as far as is known."""
        return self.twin or self.reference or self.last_good


@dataclass(frozen=True)
class Outcome:
    """What came of one trial. verdict: "same", "diverged", "undecided" or "failed" (no comparison came of it, for the reason that
    `said` gives). reached: how far both agree: the number of the program, the step, and the order of its first divergence. files:
    of the user's that were imported. independent: lines of the twin that are wrong whatever the others are -> how far both
    agree before it, where that is known. remains: what is said of the values behind, once these are right. far: it ended at the
    first place, which no rounding explains. installed: the modules, ours and of packages that somebody installed, that it had to
    import."""

    verdict: str
    said: str
    reached: tuple[int, ...] = ()
    compared: int = 0
    places: tuple[Place, ...] = ()
    files: tuple[str, ...] = ()
    independent: Mapping[Site, tuple[int, ...] | None] = field(default_factory=dict)
    remains: str | None = None
    far: bool = False
    installed: tuple[str, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether the twin did not come as far as the first place: it raised, or has no such value."""
        first = self.places[0] if self.places else None
        return first is not None and (first.variable == "(exception)" or (
            first.twin is None and first.stage in ("forward", "losses")))

    def lacks(self, place: Site, other: Outcome) -> bool:
        """Whether that line of the other's is wrong no more, nor any line before it that was right."""
        if self.verdict != "diverged" or self.stopped or place in self.independent:
            return self.verdict == "same"
        order = other.independent[place]
        return all(order is not None and reached is not None and reached > order
                   for line, reached in self.independent.items() if line not in other.independent)

    def further_than(self, other: Outcome) -> bool:
        if "same" in (self.verdict, other.verdict):
            return self.verdict == "same" != other.verdict
        if self.stopped and not other.stopped:  # what is broken has no value there that could be wrong
            return False
        if self._first is not None and self._first == other._first:  # in the census: only what else has partners has changed
            return False
        return self.verdict == "diverged" and self.reached > other.reached

    @property
    def _first(self) -> tuple[int, str] | None:
        """The program and the value that differs first, where that is known."""
        return (self.reached[0], self.places[0].key) if self.reached and self.places and self.places[0].key else None


Compare = Callable[[], Any]
"""Loads the pair and compares it: what `parity.compare` returns."""


MOST_OTHERS = 7  # places besides the first that are told of


class Far(Exception):
    """Raised by `compare` where a pass has found what no rounding is: how far both agree is known then, and that is enough.

    number: of the program. finding: its first divergence. others: what else the pass has found.
    """

    def __init__(self, number: int, finding: Any, others: Sequence[Any] = ()) -> None:
        super().__init__(str(finding))
        self.reached, self.places = _reached(number, finding), [_told(one) for one in (finding, *others[:MOST_OTHERS])]


def attempt(compare: Compare, sources: Mapping[str, str], *, seconds: float, room: str | None = None) -> Outcome:
    """The outcome of `compare` in a fork of this process, where the user's files read as `sources` say. room: a folder of ours that
    it may write in, and that stays."""
    known = frozenset(sys.modules)
    return _outcome(apart(lambda: {**_compared(compare), "installed": _installed(known)}, sources, seconds=seconds, room=room))


def import_installed(names: Sequence[str]) -> None:
    """Import here, once, what each trial would have to import; what cannot be imported alone is left to them. What a package says
    while it is imported is no output of ours."""
    for name in names:
        with contextlib.suppress(Exception, SystemExit), contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(name)


def _installed(known: frozenset[str]) -> list[str]:
    return [name for name, module in list(sys.modules.items()) if name not in known and name != "__main__"
            and isinstance(file := getattr(module, "__file__", None), str) and (is_installed(file) or file.startswith(_OURS))]


def apart(work: Callable[[], Mapping[str, Any]], sources: Mapping[str, str], *, seconds: float,
          room: str | None = None) -> dict[str, Any]:
    """What `work` returns, in a fork of this process, where the user's files read as `sources` say: numbers, texts, lists, dicts.
    Where nothing comes of it, "verdict" is "failed", and "said" tells why. room: as for `attempt`."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    folder = tempfile.mkdtemp(prefix="parity-trial-")
    parent, child = os.getpid(), os.fork()
    if child == 0:
        os.close(reading)
        _alone(parent, seconds)
        _confine(folder, room)
        with open(writing, "w", encoding="utf-8") as pipe:
            json.dump(_done(work, sources), pipe)
        os._exit(0)
    os.close(writing)
    try:
        told = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and whatever it has started
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    if told is None:
        return _failed(f"not done after {seconds:.0f} s")
    try:
        return json.loads(told)
    except ValueError:
        return _failed(f"its process ended ({os.waitstatus_to_exitcode(status)}) without a word")


def _failed(why: str) -> dict[str, Any]:
    return {"verdict": "failed", "said": why}


def _alone(parent: int, seconds: float) -> None:
    """A process that can neither outlive its parent, nor be heard, nor work for longer than it may."""
    os.setpgid(0, 0)
    if not end_with(parent):
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit, allowed = (int(seconds) + 1) * (os.cpu_count() or 1), resource.getrlimit(resource.RLIMIT_CPU)[1]
    limit = limit if allowed == resource.RLIM_INFINITY else min(limit, allowed)  # nobody may raise what they were given
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))


_CHANGING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
             "os.utime")
_STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _confine(folder: str, room: str | None) -> None:
    """From now on nothing is written outside that folder, which is thrown away, and the room; and no program is started.

    By Python's audit hooks: a guard against what a program does without a thought, not against one that means harm.
    """
    sys.dont_write_bytecode = True
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    inside = tuple(os.path.realpath(one) for one in (folder, room) if one is not None)
    below = tuple(one + os.sep for one in inside)

    def watch(event: str, arguments: tuple) -> None:
        if event in _STARTING:
            raise PermissionError(f"while a fix is looked for, no other program is started ({event} {arguments[0]!r:.80})")
        if event == "open":
            path, _, flags = arguments
            if not (flags or 0) & _WRITING or isinstance(path, int):
                return
            paths: tuple[Any, ...] = (path,)
        elif event in _CHANGING:
            paths = tuple(one for one in arguments if isinstance(one, (str, bytes, os.PathLike)))
        else:
            return
        for path in paths:
            if os.path.realpath(os.fsdecode(path)) not in (*inside, os.devnull) and not os.path.realpath(
                    os.fsdecode(path)).startswith(below):
                raise PermissionError(f"while a fix is looked for, nothing is written or removed ({event} {path!r:.200})")

    sys.addaudithook(watch)


def _read(descriptor: int, until: float) -> bytes | None:
    parts = []
    while (left := until - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left)[0]:
            return None
        part = os.read(descriptor, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return None


def _done(work: Callable[[], Mapping[str, Any]], sources: Mapping[str, str]) -> Mapping[str, Any]:
    """In the child: anything that a user's program can do comes back as a failed trial."""
    try:
        for name in _users_modules():  # this process may have run them before, from another text
            del sys.modules[name]
        with overlaid(sources):
            return work()
    except BaseException as error:  # exits and interrupts, too
        return _failed(f"{type(error).__name__}: {' '.join(str(error).split())}"[:400])


def _compared(compare: Compare) -> dict[str, Any]:
    try:
        summary = compare()
    except Far as found:
        return {"verdict": "diverged", "said": str(found), "reached": found.reached, "places": found.places, "far": True,
                "files": _users_files()}
    told = {"verdict": summary.verdict, "said": str(summary.sentence()), "compared": summary.merged.compared}
    if summary.headline is None:
        return told
    result, first = summary.headline
    others = [finding for finding, _ in summary.places() if finding is not first]
    remains = summary.counterfactual if hasattr(summary, "counterfactual") else result.report.counterfactual
    return {**told, "reached": _reached(summary.results.index(result), first), "files": _users_files(),
            "places": [_told(finding) for finding in (first, *others[:MOST_OTHERS])],
            "independent": [(line, order) for line, order in _independent(summary, remains) if line is not None],
            "remains": None if remains is None else str(remains.sentence)}


def _independent(summary: Any, remains: Any) -> list[tuple[Site | None, list[int] | None]]:
    """The lines of the independent places, each with how far both agree before it; None in a training, where that is not known."""
    if not hasattr(summary, "counterfactual"):
        return [(finding.twin, _reached(summary.results.index(results[0]), finding)) for finding, results in summary.places()]
    return [(line, None) for line in (remains.lines if remains is not None else [summary.headline[1].twin])]


def _reached(number: int, finding: Any) -> list[int]:
    return [number, 0 if finding.key.stage == "census" else finding.key.step, *finding.order]


def _told(finding: Any) -> dict[str, Any]:
    return {"said": str(finding), "reference": finding.reference, "twin": finding.twin, "last_good": finding.last_good_site,
            "stage": finding.key.stage, "variable": finding.key.variable, "key": repr(finding.key),
            "distance": float(finding.deviation.distance), "hints": hints.told(finding.cause)}


def _users_files() -> list[str]:
    return sorted(set(_users_modules().values()))


def _users_modules() -> dict[str, str]:
    """Of all that is imported, what is neither installed nor ours nor Python's own: name -> file."""
    files = {name: os.path.realpath(file) for name, module in list(sys.modules.items()) if name != "__main__"
             and isinstance(file := getattr(module, "__file__", None), str) and file.endswith(".py")}
    return {name: file for name, file in files.items() if not is_installed(file) and not file.startswith((_OURS, _PYTHONS))}


_OURS = os.path.dirname(os.path.dirname(os.path.realpath(__file__))) + os.sep
_PYTHONS = os.path.dirname(os.path.realpath(os.__file__)) + os.sep


def _outcome(told: Mapping[str, Any]) -> Outcome:
    def site(found: Sequence[Any] | None) -> Site | None:
        return None if found is None else Site(str(found[0]), int(found[1]))

    places = tuple(Place(place["said"], site(place["reference"]), site(place["twin"]), site(place["last_good"]), place["stage"],
                         place["variable"], place["key"], place["distance"], Hints.of(place.get("hints")))
                   for place in told.get("places", ()))
    independent = {site(line): None if order is None else tuple(order) for line, order in told.get("independent", ())}
    return Outcome(told["verdict"], told["said"], tuple(told.get("reached", ())), told.get("compared", 0), places,
                   tuple(told.get("files", ())), independent, told.get("remains"), told.get("far", False),
                   tuple(told.get("installed", ())))


def check_possible() -> None:
    """Raises InputError where a process cannot be forked safely."""
    if not hasattr(os, "fork"):
        raise InputError("looking for a fix tries each change in a process of its own (fork), which this system does not have")

"""Making many runs: in parallel, each in one thread, kept as JSON files, so that what was stopped picks up where it was."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from parity.files import InputError, write

# Nothing heavy is imported here: a worker imports this file first, and sets its threads before any framework is there.

Task = Mapping[str, Any]
PACKAGES = ("parity", "torch_ref", "paddle_impl", "weights_convert")
REPORT = Path(__file__).with_name("report")  # how a result is told does not change it
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Done:
    """What a task came to, and the processor seconds that it took (when it was run)."""

    result: Any
    cpu_seconds: float


def run_all(tasks: Sequence[Task], *, folder: Path | None = None, workers: int | None = None,
            progress: Callable[[Task, bool], None] = lambda task, kept: None) -> dict[str, Done]:
    """All tasks, by `key(task)`.

    folder: where results are kept and looked for; without one, in a temporary folder. workers: processes, by default as many
    as there are cores to run on. progress: called with each task that is done, and whether it was there already.
    Raises InputError where the folder cannot be used, and whatever a task raises; what was done until then is kept.
    """
    with _kept_in(folder) as home:
        done: dict[str, Done] = {}
        missing = []
        for task in tasks:
            found = _read(home / f"{key(task)}.json")
            if found is None:
                missing.append(task)
            else:
                done[key(task)] = found
                progress(task, True)
        for task, result in _made(missing, min(workers or cores(), max(1, len(missing)))):
            kept = {"task": task, "cpu_seconds": result.cpu_seconds, "result": result.result}
            write(home / f"{key(task)}.json", json.dumps(kept))
            done[key(task)] = result
            progress(task, False)
        return done


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def key(task: Task) -> str:
    """The name of a task's result: another configuration, other code, another framework, and it is another one."""
    text = json.dumps({"task": task, "code": _code()}, sort_keys=True)
    return f"{task['kind']}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


@functools.lru_cache(maxsize=1)
def _code() -> str:
    """A fingerprint of all that a result depends on: our source, Python's and the frameworks' versions."""
    state = hashlib.sha256(sys.version.encode())
    for package in PACKAGES:
        root = Path(importlib.import_module(package).__file__).parent
        for file in sorted(root.rglob("*")):
            if file.suffix in (".py", ".npz") and file.parent != REPORT:
                state.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    for distribution in ("torch", "paddlepaddle", "paddlepaddle-gpu", "numpy"):
        try:
            state.update(f"{distribution} {metadata.version(distribution)}".encode())
        except metadata.PackageNotFoundError:
            continue
    return state.hexdigest()


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="parity-explain-") as temporary:
            yield Path(temporary)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: expected a folder to keep results in, cannot make it ({error.strerror}); choose "
                         f"another") from error
    yield folder


def _read(path: Path) -> Done | None:
    try:
        held = json.loads(path.read_text())
        return Done(held["result"], held["cpu_seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or not ours: made again


def _made(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Done]]:
    """The tasks as they are done, in processes of their own: threads and injected faults stay there."""
    if not tasks:
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        waiting = {pool.submit(_do, dict(task)): task for task in tasks}
        while waiting:
            finished = wait(waiting, return_when=FIRST_COMPLETED).done
            for future in sorted(finished, key=lambda future: future.exception() is not None):  # what is good is kept first
                yield waiting.pop(future), Done(*future.result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare() -> None:
    """One thread each; and on Ctrl-C a worker goes quietly, it is the command that says so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in THREADS:
        os.environ[name] = "1"


def _do(task: Task) -> tuple[Any, float]:
    import warnings
    warnings.filterwarnings("ignore", message=".*ccache.*")
    from parity.explain.tasks import do  # imports the frameworks, which take their threads from the environment
    before = time.process_time()
    result = do(dict(task))
    return result, time.process_time() - before

"""A campaign: many independent runs, made by joblib on the cores here, or on what joblib has been told to use.

A *task* is a small JSON description with a "kind"; a function of some module makes its result, JSON as well. What came of a
task is kept under the hash of all that it depends on, so that a campaign that was stopped picks up where it was. Nothing is
dropped: a task that raises, or takes its worker with it, comes back as `Failed`.

    with on_dask("tcp://10.0.0.1:8786"):         # without this line, or `joblib.parallel_config`: the cores here
        results = run(tasks, trials.do, folder=Path("work"))
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import platform
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
from joblib.parallel import LokyBackend, MultiprocessingBackend, ParallelBackendBase, get_active_backend

from parity import heap
from parity.files import InputError, make_folder, write

# Nothing heavy is imported here: a worker imports this file first, and has its threads set before any framework is there.

Task = Mapping[str, Any]
Do = Callable[[dict[str, Any]], Any]
PACKAGES = ("parity", "torch_ref", "paddle_impl", "weights_convert")
DISTRIBUTIONS = ("torch", "paddlepaddle", "paddlepaddle-gpu", "numpy", "pillow")
_ALONE = threading.Lock()  # a fault changes the whole process, so tasks in threads of one worker take turns


@dataclass(frozen=True)
class Done:
    """What a task came to, and the processor seconds that it took (when it was run)."""

    result: Any
    cpu_seconds: float


@dataclass(frozen=True)
class Failed:
    """A task without a result. reason: in one line; traceback: the worker's, where the task raised."""

    reason: str
    traceback: str = ""


class TaskFailed(RuntimeError):
    """A task without which there is no answer has failed."""


Outcome = Done | Failed
Progress = Callable[[Task, Outcome, bool], None]
"""Called with each task that has come to an end, what came of it, and whether that was there already."""


def run(tasks: Sequence[Task], do: Do, *, folder: Path | None = None, workers: int | None = None,
        progress: Progress = lambda task, outcome, kept: None) -> dict[str, Outcome]:
    """What came of every task, by `key(task, do)`, in the order of the tasks.

    do: a function at the top of a module (workers import it by name). folder: where results are kept and looked for; those
    that failed are made again. workers: tasks at a time, by default as many as joblib has workers (here: cores). Raises
    InputError where the folder cannot be used, and where there is nothing to run the tasks on.
    """
    names = {key(task, do): task for task in tasks}
    outcomes: dict[str, Outcome] = {}

    def take(name: str, outcome: Outcome, kept: bool) -> None:
        if folder is not None and isinstance(outcome, Done) and not kept:
            write(folder / f"{name}.json", json.dumps({"task": names[name], **asdict(outcome)}))
        outcomes[name] = outcome
        progress(names[name], outcome, kept)

    if folder is not None:
        make_folder(folder, "to keep results in")
        for name in names:
            if (held := _read(folder / f"{name}.json")) is not None:
                take(name, held, True)
    for name, outcome in _made({name: task for name, task in names.items() if name not in outcomes}, do, workers):
        take(name, outcome, False)
    return {name: outcomes[name] for name in names}


def all_done(outcomes: Mapping[str, Outcome]) -> dict[str, Done]:
    """The results, where every one is needed. Raises TaskFailed with the first that is missing."""
    for name, outcome in outcomes.items():
        if isinstance(outcome, Failed):
            raise TaskFailed(f"{name}: {outcome.reason}\n{outcome.traceback}".rstrip())
    return dict(outcomes)


def key(task: Task, do: Do) -> str:
    """The name of a task's result: another configuration, other code, another framework, and it is another one."""
    text = json.dumps({"task": task, "do": f"{do.__module__}:{do.__qualname__}", "code": _code()}, sort_keys=True)
    return f"{task['kind']}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


@contextmanager
def on_dask(address: str | None) -> Iterator[None]:
    """Runs inside the block are made by the workers of this Dask scheduler; None: by what joblib uses already.

    Raises InputError where there is none.
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--scheduler: this needs Dask; pip install 'paddle-parity[dask]'") from error
    try:
        client = Client(address, set_as_default=False, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {address}: no Dask scheduler answers there ({error}); start one with `dask "
                         f"scheduler`") from error
    with client, joblib.parallel_config(backend="dask", client=client):
        yield


@functools.lru_cache(maxsize=1)
def _code() -> str:
    """A fingerprint of all that a result depends on: our source, Python's and the frameworks' versions."""
    state = hashlib.sha256(platform.python_version().encode())
    for package in PACKAGES:
        root = Path(importlib.util.find_spec(package).origin).parent
        for file in sorted(root.rglob("*")):
            name = file.relative_to(root)
            if file.suffix in (".py", ".npz") and "report" not in name.parts:  # how a result is told does not change it
                state.update(str(name).encode() + b"\0" + file.read_bytes())
    for distribution in DISTRIBUTIONS:
        try:
            state.update(f"{distribution} {metadata.version(distribution)}".encode())
        except metadata.PackageNotFoundError:
            continue
    return state.hexdigest()


def _read(path: Path) -> Done | None:
    try:
        held = json.loads(path.read_text())
        return Done(held["result"], held["cpu_seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or not ours: made again


# --- making them -------------------------------------------------------------------------------------------------------


def _made(tasks: Mapping[str, Task], do: Do, workers: int | None) -> Iterator[tuple[str, Outcome]]:
    """Name and outcome of each task, as they come in.

    A worker that dies breaks the whole pool, and nobody knows over which task: each that was under way is tried once more,
    alone, and the one that does it again has failed. The others go on.
    """
    waiting = dict(tasks)
    while waiting:
        under_way: list[str] = []
        try:
            for name, outcome in _parallel(dict(waiting), do, workers, under_way):
                under_way.remove(name)
                del waiting[name]
                yield name, outcome
        except Exception as error:  # what a task raises comes back as Failed; so this is the pool's, whichever it is
            if not under_way:
                raise InputError(f"the tasks cannot be run: {_words(error)}") from error
        for name in under_way:
            try:
                [(_, outcome)] = _parallel({name: waiting.pop(name)}, do, 1, [])
            except Exception as error:
                outcome = Failed(f"its worker was lost: {_words(error)}")
            yield name, outcome


def _parallel(tasks: Mapping[str, Task], do: Do, workers: int | None, under_way: list[str]) -> Iterator[tuple[str, Outcome]]:
    """joblib's unordered results. under_way: the names of tasks are added to it as they are handed out."""
    def handed_out() -> Iterator[Any]:
        for name, task in tasks.items():
            under_way.append(name)
            yield joblib.delayed(_attempt)(name, dict(task), (do.__module__, do.__qualname__), _code())

    backend, configured = get_active_backend()
    if isinstance(backend, MultiprocessingBackend):
        raise InputError("joblib's backend multiprocessing forks, and torch hangs in a forked process; take loky or dask")
    at_once: int | str = workers or "n_jobs"
    if isinstance(backend, LokyBackend):
        at_once = workers or (joblib.cpu_count() if configured in (1, None) else backend.effective_n_jobs(configured))
        # With a single job joblib would run the task in this process, and a crash of it would be ours.
        configured, backend = max(2, at_once), LokyBackend(inner_max_num_threads=1)
    parallel = joblib.Parallel(configured, backend=_hearing(backend), pre_dispatch=at_once, batch_size=1,
                               return_as="generator_unordered")
    return parallel(handed_out())


def _hearing(backend: ParallelBackendBase) -> ParallelBackendBase:
    if "distributed" not in sys.modules:
        return backend
    from parity.campaign.cluster import hearing
    return hearing(backend)


def _attempt(name: str, task: dict[str, Any], do: tuple[str, str], code: str) -> tuple[str, Outcome]:
    """In the worker: make the result. do: module and name of the function, imported when warnings are off."""
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, on what they think of a faulty program
        if _code() != code:
            return name, Failed("the worker has other code, or other versions, than the process that started the campaign")
        before = time.process_time()
        try:
            function = getattr(importlib.import_module(do[0]), do[1])
            if torch := sys.modules.get("torch"):
                torch.set_num_threads(1)  # a sum over threads depends on their number
            heap.keep_freed(below=1 << 30)
            result = json.loads(json.dumps(function(task)))  # as it will be when it is read again
        except Exception as error:
            return name, Failed(_words(error), traceback.format_exc())
        return name, Done(result, time.process_time() - before)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"

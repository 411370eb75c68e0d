"""A training on its own: its step is run under watch, so many times as it takes to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from parity.declare.reach import found_in
from parity.doctor.diagnosis import Diagnosis
from parity.doctor.moment import Moment, Moments
from parity.doctor.places import UserFiles, user_source
from parity.doctor.raised import explain
from parity.doctor.session import Doctor
from parity.files import InputError
from parity.frameworks import loadable
from parity.trace.source import ConstructionSites, SourceTree

FIRST = 3  # state faults show by then; without one the course of the loss is watched on
MOMENT = 4  # a copy of the training's state is taken at each such iteration of those that are not watched closely


def diagnose_alone(function: Callable, *, iterations: int = 20, expect: Sequence[str] = (), source: SourceTree | None = None,
                   progress: Callable[[int], None] | None = None, repeat: bool = True, name: str | None = None,
                   constructions: ConstructionSites | None = None) -> Diagnosis:
    """Run `iterations` training steps under watch (fewer where an error is found at once).

    function: it runs one step and takes no arguments, or builds everything and returns such a function. Networks and optimizers
    are found among its globals, closure and `self`. name: what the user calls it. constructions: what was seen of their making
    when the function's module was loaded.
    repeat: where a later iteration, not watched closely, shows a NaN, it is run a second time for the line that made it. For
    that a copy of weights, gradients and the optimizers' memory is held, from the third iteration on.
    Raises InputError where it trains nothing or calls sys.exit; and what ended the watch, where it failed itself.
    """
    name, constructions = name or getattr(function, "__qualname__", repr(function)), constructions or ConstructionSites()
    with _staying(name):
        with construction(constructions, source):
            models, optimizers = found_in(function)
            if not models:
                try:
                    function = function()
                except Exception as error:
                    return Diagnosis((explain(error, source=source),), 0)
                if not callable(function):
                    raise InputError(
                        f"{name}: expected a function that runs one step, or one that builds the training and returns its "
                        f"step; no network is in its reach, and it returned {type(function).__name__}"
                    )
                models, optimizers = found_in(function)
        if not models:
            raise InputError(
                f"{name}: no network in reach of the step; keep networks and optimizers as globals, attributes of `self`, or in "
                f"the closure of the step"
            )
        if source is None:
            code = getattr(getattr(function, "__func__", function), "__code__", None)
            source = user_source([code.co_filename] if code else [], models.values())
        doctor = Doctor(models, optimizers, expect=expect, source=source, constructions=constructions).start(None)
        _run(function, doctor, iterations, progress, repeat)
    if doctor.failure is not None:
        raise doctor.failure
    return doctor.diagnose()


def _run(function: Callable[[], Any], doctor: Doctor, iterations: int, progress: Callable[[int], None] | None,
         repeat: bool) -> None:
    """The steps under watch, until there are enough of them or there is an error to tell of."""
    moments, moment, since = Moments(doctor.program, function), None, 0
    try:
        for number in range(1, iterations + 1):
            close = doctor.close
            if repeat and not close and (moment is None or number - since >= MOMENT):
                moment, since = moments.before_step(), number
            doctor.mark()
            if progress:
                progress(number)
            try:
                function()
            except Exception as error:
                doctor.note_error(error)
                break
            doctor.end()
            odd = doctor.close and not close
            if odd and moment is not None:
                _repeat(function, doctor, moment, number - since + 1, moments.now)
            if (number == FIRST or odd) and doctor.diagnose().errors:
                break
    finally:
        moments.close()
        doctor.stop()


@contextmanager
def _staying(name: str) -> Iterator[None]:
    """A program that leaves is no healthy one, whatever exit code it asks for."""
    try:
        yield
    except SystemExit as leaving:
        raise InputError(f"{name}: it ended the process (sys.exit({leaving.code!r})) when it was run; expected a function that "
                         f"runs one training step and returns") from leaving


@contextmanager
def construction(sites: ConstructionSites, source: SourceTree | None = None) -> Iterator[None]:
    """Notes where networks and optimizers are built, of whichever framework the user's module imports."""
    with ExitStack() as stack:
        for framework in loadable():
            for kind in (framework.module_class, *framework.optimizer_makers):
                stack.enter_context(sites.watch(kind, source or UserFiles()))
        yield


def _repeat(function: Callable[[], Any], doctor: Doctor, moment: Moment, count: int, now: Callable[[], Moment]) -> None:
    """Run the latest iterations again, for the line of what was odd in them; then put the training back to where it had come.

    count: so many lie after the moment. What was seen in the latest may have begun before it.
    """
    after = now()
    moment.put_back()
    with suppress(Exception):
        for back in range(count, 0, -1):
            with doctor.again(back):
                function()
            if doctor.placed(back):
                break
    after.put_back()

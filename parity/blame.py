"""Whose error is it: the user's program's, or ours?

An exception is the user's where the innermost frame is: from the innermost outwards, the first frame that is either the user's
or ours decides, whatever libraries stand between. Frames of ours that only hand on a call of the user's, like those around an
operation that is watched, call `hand_on`, and do not count as ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any

from parity.files import InputError

HOME = str(Path(__file__).parent) + os.sep
GUESTS = tuple(HOME + name + os.sep for name in ("ugatit", "testsuite"))  # programs that are compared, not what compares them


def is_installed(file: str) -> bool:
    """Whether a file is of a package that somebody installed, rather than the user's own."""
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def is_below(path: PurePath, folders: Iterable[PurePath]) -> bool:
    """Whether a path is one of these or lies in it; by its parts, so that neither separators nor (on Windows) cases matter."""
    return any(path.is_relative_to(folder) for folder in folders)


def hand_on(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call what is the user's, as the user does: what it raises is no error of ours."""
    return function(*args, **kwargs)


def is_users(error: BaseException, source: Container[str] = ()) -> bool:
    """Whether the user's program made it. source: the user's files, as far as they are known."""
    for frame in reversed(list(_frames(error))):
        code = frame.tb_frame.f_code
        if code is hand_on.__code__ or code.co_filename in source:
            return True
        if code.co_filename.startswith(HOME) and not code.co_filename.startswith(GUESTS):
            return False
    return False


def place_of(error: BaseException, source: Container[str]) -> tuple[str, int] | None:
    """(file, line) of the user's innermost line in it; None where there is none."""
    places = [(frame.tb_frame.f_code.co_filename, frame.tb_lineno) for frame in _frames(error)]
    return next((place for place in reversed(places) if place[0] in source), None)


def in_words(error: BaseException) -> str:
    """Its type and what it says, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


@contextmanager
def refusing(what: str, source: Container[str] = (), cannot: str = "the reference program itself cannot run on these inputs",
             advice: str = "check what it is fed with, and its weights") -> Iterator[None]:
    """Around what runs the user's code where it must not fail: what it raises, and its `sys.exit`, become an InputError.

    Errors of ours pass as they are.
    """
    try:
        yield
    except SystemExit as leaving:
        raise InputError(f"{what}: it ended the process (sys.exit({leaving.code!r})){_at(leaving, source)}, so nothing was "
                         f"compared; take the exit out of what is run") from leaving
    except InputError:
        raise
    except Exception as error:
        if not is_users(error, source):
            raise
        raise InputError(f"{what}: {cannot} ({in_words(error)}){_at(error, source)}; {advice}") from error


def _at(error: BaseException, source: Container[str]) -> str:
    place = place_of(error, source)
    return f" at {place[0]}:{place[1]}" if place else ""


def _frames(error: BaseException) -> Iterator[TracebackType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next

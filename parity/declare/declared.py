"""The programs that a user's own file declares, for `--pair`: a `Port`, or a list of `Subject`s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parity.declare.loader import load
from parity.declare.pair import Subject
from parity.declare.port import Port
from parity.declare.port import load as load_port
from parity.files import InputError


def subjects(module: str) -> dict[str, Subject]:
    """name -> Subject. The module has `SUBJECTS`, a list of `parity.pair.Subject`, or a function `subjects()` that returns one.

    Raises InputError: no such module, an error in it, nothing declared.
    """
    loaded = load(module)
    try:
        declared = loaded.subjects() if callable(getattr(loaded, "subjects", None)) else getattr(loaded, "SUBJECTS", ())
        found = {subject.name: subject for subject in declared}
    except Exception as error:
        raise InputError(f"--pair {module}: cannot be used ({type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]})") from error
    if not found or not all(isinstance(subject, Subject) for subject in found.values()):
        raise InputError(f"--pair {module}: expected SUBJECTS, a list of parity.pair.Subject, or a function subjects(); found none")
    return found


def one(target: Any, kind: type) -> Any:
    """A declaration of that kind: itself, the one in a file ("my_pair.py"), or the one of that name ("my_pair.py:name").

    Raises InputError: there is none, or there are several and none is named.
    """
    if isinstance(target, kind):
        return target
    expected = f"expected a parity.{kind.__name__}"
    if not isinstance(target, (str, Path)):
        raise InputError(f"{expected}, or a file that declares one, found {type(target).__qualname__}")
    file, colon, name = str(target).rpartition(":")
    found = {key: value for key, value in vars(load(file if colon else str(target))).items() if isinstance(value, kind)}
    if colon and name in found:
        return found[name]
    if colon or len(found) != 1:
        known = f"; name one: {file or target}:{next(iter(found))}" if found else ""
        wanted = f"{expected} called {name}" if colon else f"{expected} in it"
        raise InputError(f"{target}: {wanted}, found {', '.join(found) or 'none'}{known}")
    return next(iter(found.values()))


def networks(target: str) -> dict[str, Subject]:
    """name -> Subject: of a pair file (or file.py:name), under the pair's title; else as `subjects`. Raises InputError."""
    if ":" in target or any(isinstance(value, Port) for value in vars(load(target)).values()):
        port = load_port([target])
        return {port.title: port.subject()}
    return subjects(target)

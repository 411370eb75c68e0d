"""The programs that a user's own file declares, for `--pair`: a `Port`, or a list of `Subject`s."""

from __future__ import annotations

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


def networks(target: str) -> dict[str, Subject]:
    """name -> Subject: of a pair file (or file.py:name), under the pair's title; else as `subjects`. Raises InputError."""
    if ":" in target or any(isinstance(value, Port) for value in vars(load(target)).values()):
        port = load_port([target])
        return {port.title: port.subject()}
    return subjects(target)

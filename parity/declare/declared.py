"""The programs that a user's own module declares: `--pair module` or `--pair file.py`."""

from __future__ import annotations

from parity.declare.loader import load
from parity.declare.pair import Subject
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

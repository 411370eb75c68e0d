"""The programs that a user's own module declares: `--pair module` or `--pair file.py`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

from parity.declare.pair import Subject
from parity.files import InputError


def subjects(module: str) -> dict[str, Subject]:
    """name -> Subject. The module has `SUBJECTS`, a list of `parity.pair.Subject`, or a function `subjects()` that returns one.

    Raises InputError: no such module, an error in it, nothing declared.
    """
    try:
        loaded = _file(Path(module)) if module.endswith(".py") else importlib.import_module(module)
        declared = loaded.subjects() if callable(getattr(loaded, "subjects", None)) else getattr(loaded, "SUBJECTS", ())
        found = {subject.name: subject for subject in declared}
    except Exception as error:
        raise InputError(f"--pair {module}: cannot be used ({type(error).__name__}: {' '.join(str(error).split())[:200]}); "
                         "give a module's name or a .py file") from error
    if not found or not all(isinstance(subject, Subject) for subject in found.values()):
        raise InputError(f"--pair {module}: expected SUBJECTS, a list of parity.pair.Subject, or a function subjects(); found none")
    return found


def _file(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module

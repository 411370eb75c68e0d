"""`parity doctor module:function`: find what the user names, and diagnose it: a training alone, or beside its reference."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from parity.doctor.alone import FIRST, construction, diagnose_alone
from parity.doctor.diagnosis import Diagnosis
from parity.files import InputError
from parity.trace.source import ConstructionSites, SourceTree


def examine(target: str | Callable, *, iterations: int = 20, expect: Sequence[str] = (), source: SourceTree | None = None,
            progress: Callable[[int], None] | None = None, repeat: bool = True) -> Diagnosis:
    """Diagnose what "module:function" or "file.py:name" stands for (or the thing itself).

    target: a training step, or what builds one: see `diagnose_alone`, which also says the rest; or a training of both sides
    (`parity.declare.port.Port` with a training, `parity.declare.training.Training`, `parity.declare.pair.TrainingSubject`): its
    twin is held beside its reference.
    Raises InputError where there is no such thing, or it trains nothing; and what ended the watch, where it failed itself.
    """
    constructions = ConstructionSites()
    with construction(constructions, source):
        found = _loaded(target) if isinstance(target, str) else target
        subject = _declared(found)
    if subject is not None:
        from parity.doctor.beside import diagnose_beside  # it needs what compares two programs
        return diagnose_beside(subject, steps=min(iterations, FIRST), expect=expect)
    return diagnose_alone(found, iterations=iterations, expect=expect, source=source, progress=progress, repeat=repeat,
                          name=target if isinstance(target, str) else None, constructions=constructions)


def _declared(value: Any) -> Any | None:
    """The training of two sides that it declares (`TrainingSubject`), if it is such a thing. Raises InputError."""
    kinds = [getattr(sys.modules.get(module), name, ()) for module, name in (
        ("parity.declare.pair", "TrainingSubject"), ("parity.declare.port", "Port"), ("parity.declare.training", "Training"))]
    if isinstance(value, kinds[0]):
        return value
    if isinstance(value, kinds[1]):
        return value.training_subject()
    return value.subject() if isinstance(value, kinds[2]) else None


def _loaded(target: str) -> Callable:
    found = _reached(target)
    if not callable(found) and _declared(found) is None:
        raise InputError(f"{target}: expected a function, found {type(found).__name__}")
    return found


def _reached(target: str) -> Any:
    name, _, path = target.partition(":")
    if not path:
        raise InputError(f"{target}: expected module:function, as in train:step")
    from parity.declare.loader import load  # not at the top: what a file declares may need both frameworks
    return _attribute(load(name), name, path, target)


def _attribute(found: Any, name: str, path: str, target: str) -> Any:
    for part in path.split("."):
        if not hasattr(found, part):
            raise InputError(f"{target}: {name} has no {path}")
        found = getattr(found, part)
    return found

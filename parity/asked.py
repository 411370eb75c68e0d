"""What may be asked for: every argument of the command line, of Python and of the plugin is checked here, before anything runs."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from parity.files import InputError

LANES = ("float64", "float32")
MODES = ("eval", "train")
WAYS = ("free", "resync")  # to follow a training
DEVICES = ("cpu", "gpu")
SIDES = ("reference", "twin")
SEEDS = range(2**32)
DRAWS = range(1, 1000)
COUNTS = range(1, 2**63)


def lanes(given: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of `LANES`. Raises InputError: none, an unknown one, a string for a list."""
    return _several("lanes", given, LANES)


def modes(given: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of `MODES`. Raises InputError."""
    return _several("modes", given, MODES)


def lane(given: str) -> str:
    """Raises InputError where it is none."""
    return one("lane", given, LANES)


def device(given: str) -> str:
    """Raises InputError where it is none. (Whether it is there, the framework says.)"""
    return one("device", given, DEVICES)


def count(name: str, given: int, allowed: range = COUNTS) -> int:
    """A whole number, like `steps`. Raises InputError where it is none, or out of range."""
    if not isinstance(given, bool):
        try:
            number = operator.index(given)
        except TypeError:
            number = None
        if number is not None and number in allowed:
            return number
    most = f" to {allowed[-1]}" if allowed is not COUNTS else " on"
    raise InputError(f"{name}: expected a whole number from {allowed[0]}{most}, found {given!r}")


def following(*, steps: int, mode: str, draws: int, floor_every: int = 1) -> None:
    """All that says how a training is followed. Raises InputError."""
    count("steps", steps)
    one("mode", mode, WAYS)
    count("draws", draws, DRAWS)
    count("floor_every", floor_every)


def _several(name: str, given: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    expected = f"{name}: expected a list of {_words(known)}"
    if isinstance(given, str):
        raise InputError(f"{expected}, found the string {given!r}" + (f"; write [{given!r}]" if given in known else ""))
    try:
        found = list(given)
    except TypeError:
        raise InputError(f"{expected}, found {given!r}") from None
    if not found:
        raise InputError(f"{expected}, found an empty one: nothing would be compared")
    unknown = [one for one in found if one not in known]
    if unknown:
        raise InputError(f"{expected}, found {', '.join(map(repr, unknown))} in it")
    return tuple(one for one in known if one in found)


def one(name: str, given: Any, known: Sequence[str]) -> str:
    """One of the known. Raises InputError."""
    if not isinstance(given, str) or given not in known:
        raise InputError(f"{name}: expected {_words(known)}, found {given!r}")
    return given


def _words(known: Sequence[str]) -> str:
    return " or ".join(map(repr, known))

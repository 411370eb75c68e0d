"""What programs hand around: tensors, numbers, texts, inside tuples, dicts, dataclasses, objects of the user's own.

A leaf has an access path: "[0]", "['a']", ".logits".
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import enum
from array import array
from collections import deque
from collections.abc import Callable, ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from types import SimpleNamespace
from typing import Any

import numpy as np

_VIEWS = (ValuesView, ItemsView)  # of a dict: they are no lists, and hold what it holds; its keys are a set
_LIBRARIES = ("builtins", "torch", "paddle", "numpy", "typing", "types", "abc", "collections", "functools", "itertools")


def leaves(value: Any, is_tensor: Callable[[Any], bool], prefix: str = "", *, objects: bool = False) -> Iterator[tuple[str, Any]]:
    """(access path, leaf) of a nest of tuples, lists, deques, mappings and dataclasses; objects: of plain objects too.

    Plain objects are opened for what a program returns, and not for its local variables: `self` is one of them.
    """
    yield from _leaves(value, is_tensor, prefix, objects, ())


def _leaves(value: Any, is_tensor: Callable[[Any], bool], prefix: str, objects: bool, above: tuple[int, ...]) -> Iterator:
    held = None if is_tensor(value) or id(value) in above else _held(value, objects)
    if held is None:
        yield prefix, value
        return
    for step, item in held:
        yield from _leaves(item, is_tensor, prefix + step, objects, (*above, id(value)))


def replaced(value: Any, is_tensor: Callable[[Any], bool], replacements: Mapping[str, Any], prefix: str = "", *,
             objects: bool = False) -> Any:
    """The same nest with the tensors at the given access paths replaced; what holds none of them is the very same object."""
    if is_tensor(value):
        return replacements.get(prefix, value)
    held = _held(value, objects) if any(path.startswith(prefix) for path in replacements) else None
    if held is None:
        return value
    items = [replaced(item, is_tensor, replacements, prefix + step, objects=objects) for step, item in held]
    if all(new is item for new, (_, item) in zip(items, held, strict=True)):
        return value
    if isinstance(value, deque):
        return type(value)(items, value.maxlen)
    if isinstance(value, (tuple, list)):
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, _VIEWS):
        return items
    if isinstance(value, MutableMapping):  # not built anew: a defaultdict, a ChainMap or a class of one's own takes other arguments
        new = copy.copy(value)
        for key, item in zip(list(value), items, strict=True):
            new[key] = item
        return new
    if isinstance(value, Mapping):
        return type(value)(dict(zip(value, items, strict=True)))
    value = copy.copy(value)
    for (step, _), item in zip(held, items, strict=True):
        object.__setattr__(value, step.removeprefix("."), item)
    return value


def gone_through(value: Any) -> Any:
    """The same nest of tuples, lists and dicts with lists in place of iterators; the very same object where there are none."""
    if isinstance(value, Iterator):
        return [gone_through(item) for item in value]
    if isinstance(value, Mapping):
        items = {key: gone_through(item) for key, item in value.items()}
        return value if all(items[key] is item for key, item in value.items()) else items
    if isinstance(value, (tuple, list)):
        items = [gone_through(item) for item in value]
        if all(one is other for one, other in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def _held(value: Any, objects: bool) -> list[tuple[str, Any]] | None:
    """(step of the access path, item) of what is inside; None of a leaf."""
    if isinstance(value, (tuple, list, deque, *_VIEWS)):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, np.ma.MaskedArray):  # what the mask hides is no part of the value
        return [(".data", value.filled(0)), (".mask", np.ma.getmaskarray(value))]
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, SimpleNamespace):
        return [(f".{name}", item) for name, item in vars(value).items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{field.name}", getattr(value, field.name)) for field in dataclasses.fields(value)]
    return _attributes(value) if objects and _is_plain_object(value) else None


def _is_plain_object(value: Any) -> bool:
    """Whether this is an instance of a class of the user's that holds values, and is none itself."""
    kind = type(value)
    return (kind.__module__.partition(".")[0] not in _LIBRARIES and not isinstance(value, type) and not callable(value)
            and not isinstance(value, (enum.Enum, AbstractSet, Iterator, str, bytes, int, float, complex))
            and bool(_attributes(value)))


def _attributes(value: Any) -> list[tuple[str, Any]]:
    slots = [name for kind in type(value).__mro__ for name in _as_tuple(vars(kind).get("__slots__", ()))
             if not name.startswith("__") and hasattr(value, name)]
    return [(f".{name}", item) for name, item in {**{name: getattr(value, name) for name in slots},
                                                  **getattr(value, "__dict__", {})}.items()]


def _as_tuple(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


class Unknown(TypeError):
    """A result of no kind that could be compared."""


def as_array(leaf: Any) -> np.ndarray | None:
    """A leaf that is no tensor, as an array to compare: numbers as numbers, what is equal or not as text; None for None.

    Raises Unknown: a function, an iterator, an object without any value in it.
    """
    if leaf is None:
        return None
    if isinstance(leaf, enum.Enum):
        return np.array(f"{type(leaf).__name__}.{leaf.name}")
    if isinstance(leaf, (bool, int, float, complex, np.generic, np.ndarray)):
        values = np.asarray(leaf)
        if values.dtype.kind in "fiubcU":
            return values
        if values.dtype.kind in "mM":
            return values.astype(str)
        if values.dtype.kind == "O" and isinstance(leaf, int):  # too large for 64 bits
            return np.array(str(leaf))
    if isinstance(leaf, str):
        return np.array(leaf)
    if isinstance(leaf, (bytearray, memoryview, array)):
        return np.array(leaf)
    if isinstance(leaf, (bytes, Decimal, Fraction, PurePath, datetime.date, datetime.time, datetime.timedelta, range, slice)):
        return np.array(repr(leaf))
    if isinstance(leaf, AbstractSet) and all(isinstance(item, (bool, int, float, complex, str, bytes)) for item in leaf):
        return np.array(repr(sorted(leaf, key=repr)))
    raise Unknown(f"{type(leaf).__module__}.{type(leaf).__qualname__}")

"""What a pair is fed with: recipes for arrays (shape, dtype, range), nested as the programs take them.

    normal(2, 3, 32, 32)             float32, standard normal
    uniform(2, 8, low=0, high=1)     float32
    integers(2, 16, high=100)        int64, 0 to 99

An array stands for itself, a function of a numpy Generator for what it returns; both may stand inside tuples, lists and dicts.
Anything else (None, a number, a flag) is handed over as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.files import InputError
from parity.numbers.noise import generator

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """An array to be drawn; `text` says what in words, `call` as a pair file does."""

    draw: Draw
    text: str
    call: str = ""


def normal(*shape: int, scale: float = 1.0) -> Recipe:
    """Standard normal numbers times `scale`, float32."""
    return Recipe(lambda rng: (scale * rng.standard_normal(shape)).astype(np.float32), f"normal {shape}",
                  _call("normal", *shape, **{"scale": scale} if scale != 1 else {}))


def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Recipe:
    """Uniform numbers in [low, high), float32."""
    return Recipe(lambda rng: rng.uniform(low, high, shape).astype(np.float32), f"uniform {shape} in [{low}, {high})",
                  _call("uniform", *shape, low=low, high=high))


def integers(*shape: int, high: int, low: int = 0, dtype: str = "int64") -> Recipe:
    """Integers from low to high - 1: words, classes."""
    return Recipe(lambda rng: rng.integers(low, high, shape, dtype=dtype), f"{dtype} {shape} in [{low}, {high})",
                  _call("integers", *shape, **{"low": low} if low else {}, high=high,
                        **{"dtype": dtype} if dtype != "int64" else {}))


def truths(*shape: int) -> Recipe:
    """Truth values, a mask."""
    return Recipe(lambda rng: rng.random(shape) < 0.5, f"bool {shape}", _call("truths", *shape))


def _call(name: str, *sizes: int, **named: Any) -> str:
    return f"{name}({', '.join([*map(str, sizes), *(f'{key}={value!r}' for key, value in named.items())])})"


def parse(text: str) -> tuple[str | None, Recipe]:
    """An input as the command line spells it: [NAME=][DTYPE:]SHAPE[@LOW..HIGH]. Returns its name, if any, and its recipe.

    "2,3,224,224" is normal; "2,8@0..1" uniform; "int64:2,16@0..100" integers below 100; "mask=bool:2,16" truth values, handed
    over by keyword. Raises InputError.
    """
    match = re.fullmatch(r"(?:(\w+)=)?(?:(float32|int32|int64|bool):)?(\d+(?:,\d+)*,?)(?:@(-?[\d.]+?)\.\.(-?[\d.]+))?", text)
    if match is None:
        raise InputError(f"--input {text}: expected [NAME=][DTYPE:]SHAPE[@LOW..HIGH], as in 2,3,224,224 or int64:2,16@0..100; "
                         f"dtypes are float32, int32, int64, bool")
    name, dtype, sizes, low, high = match.groups()
    shape = tuple(int(n) for n in sizes.split(",") if n)
    try:
        if dtype == "bool":
            return name, truths(*shape)
        if dtype in ("int32", "int64"):
            if high is None:
                raise InputError(f"--input {text}: integers need a range: expected @LOW..HIGH behind the shape "
                                 f"(HIGH is not drawn), as in int64:2,16@0..100")
            if int(high) <= int(low):
                raise InputError(f"--input {text}: expected LOW below HIGH")
            return name, integers(*shape, low=int(low), high=int(high), dtype=dtype)
        if high is not None:
            return name, uniform(*shape, low=float(low), high=float(high))
    except ValueError as error:
        raise InputError(f"--input {text}: {error}") from error
    return name, normal(*shape)


def draw(nest: Any, seed: int, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """(access path, array) of every array in a nest of recipes, each from a generator of its own name."""
    array = _array(nest, seed, path)
    if array is not None:
        yield path, array
    for key, item in _items(nest):
        yield from draw(item, seed, f"{path}[{key!r}]")


def places(nest: Any, path: str = "") -> list[str]:
    """The access paths of `draw`, in its order."""
    found = [path] if isinstance(nest, (Recipe, np.ndarray)) or callable(nest) else []
    for key, item in _items(nest):
        found += places(item, f"{path}[{key!r}]")
    return found


def fill(nest: Any, values: Mapping[str, Any], path: str = "") -> Any:
    """The nest with each recipe replaced by the value of its access path."""
    if path in values:
        return values[path]
    items = {key: fill(item, values, f"{path}[{key!r}]") for key, item in _items(nest)}
    if isinstance(nest, Mapping):
        return items
    if isinstance(nest, (tuple, list)):
        filled = list(items.values())
        return type(nest)(*filled) if hasattr(nest, "_fields") else type(nest)(filled)
    return nest


def _array(item: Any, seed: int, path: str) -> np.ndarray | None:
    rng = generator(seed, "input", path)
    if isinstance(item, Recipe):
        return item.draw(rng)
    if isinstance(item, np.ndarray):
        return item
    return np.asarray(item(rng)) if callable(item) else None


def _items(nest: Any) -> Sequence[tuple[Any, Any]]:
    if isinstance(nest, Mapping):
        return list(nest.items())
    return list(enumerate(nest)) if isinstance(nest, (tuple, list)) else []

"""A framework that is not installed: its layer types by name, which is all that a layout rule asks of it."""

import importlib
from functools import cache
from typing import Any


def framework(name: str) -> Any:
    """The module of that name, or what stands in for it where it (or what it needs) cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return Absent(name)


class Absent:
    """`Absent("torch").nn.Linear` is a class of that name, the same each time; called, it says what is missing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return layer_type(f"{self._name}.{name}") if name[0].isupper() else Absent(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        package = self._name.partition(".")[0]
        raise ImportError(f"{self._name}: {package} cannot be imported here", name=package)


@cache
def layer_type(path: str) -> type:
    """A class that stands for the one of that dotted name."""
    module, _, name = path.rpartition(".")

    def missing(self: Any, *args: Any, **kwargs: Any) -> None:
        package = path.partition(".")[0]
        raise ImportError(f"{path}: {package} cannot be imported here", name=package)

    return type(name, (), {"__module__": module, "__init__": missing})

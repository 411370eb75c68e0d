"""Averages of weights (EMA) that a step keeps as plain tensors: in a dict, by the names of a network's entries, or in a list, in
the order of its parameters; where the step keeps things, or in an object of the user's that it keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from parity.declare.reach import scopes_of
from parity.frameworks import Framework


class Average(NamedTuple):
    """name: where it is kept. network: whose tensors it mirrors. held: the dict or list. places: entry of the network -> key."""

    name: str
    network: str
    held: Any
    places: dict[str, Any]

    def tensors(self) -> Iterator[tuple[str, Any]]:
        for entry, key in self.places.items():
            yield entry, self.held[key]


def averages_of(step: Callable, networks: Mapping[str, Any], framework: Framework) -> Iterator[Average]:
    """All that are in reach of a step."""
    seen: set[int] = set()
    for name, value in _kept(step, framework.attributes_of_all):  # a network's own buffers are no average of them
        if id(value) in seen or not isinstance(value, (dict, list)) or not value:
            continue
        tensors = value if isinstance(value, dict) else dict(enumerate(value))
        if not all(framework.is_tensor(one) and not framework.is_parameter(one) for one in tensors.values()):
            continue
        found = next(((network, places) for network, model in networks.items()
                      if (places := _places(value, model, framework)) is not None), None)
        if found is not None:
            seen.add(id(value))
            yield Average(name, found[0], value, found[1])


def _kept(step: Callable, but: Collection[str]) -> Iterator[tuple[str, Any]]:
    for scope, _ in scopes_of(step):
        for name, value in list(scope.items()):
            yield name, value
            if type(value).__module__.partition(".")[0] not in ("torch", "paddle", "builtins") and not isinstance(value, type):
                yield from ((f"{name}.{inner}", item) for inner, item in list(getattr(value, "__dict__", {}).items())
                           if inner not in but)


def _places(value: dict | list, model: Any, framework: Framework) -> dict[str, Any] | None:
    """Entry of the network -> key; None where this is no mirror of it."""
    parameters = framework.parameters(model)

    def shapes(tensors: Mapping[Any, Any]) -> list[tuple[int, ...]]:
        return [framework.shape_dtype(one)[0] for one in tensors.values()]

    if isinstance(value, dict):
        entries = {**parameters, **framework.buffers(model)}
        alike = all(key in entries for key in value) and shapes(value) == shapes({key: entries[key] for key in value})
        return {key: key for key in value} if alike else None
    trained = {name: one for name, one in parameters.items() if framework.requires_grad(one)}
    return next((dict(zip(of, range(len(value)), strict=True)) for of in (parameters, trained)
                 if shapes(of) == shapes(dict(enumerate(value)))), None)

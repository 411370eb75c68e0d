"""What pairing asks of a network, without its framework: types, names and shapes, as a JSON document and back.

So a network of one environment can be paired with one of another, in which its framework, or its version, cannot be imported.
Of a Paddle layer parity/recordings/parity_recorder.py writes it, however old Paddle is there.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from .absent import framework, layer_type

paddle, torch = framework("paddle"), framework("torch")

_OLD_NAMES = {"InstanceNorm": "InstanceNorm2D", "PRelu": "PReLU"}  # of Paddle 1.8's layers, which are else called as today's


def outline(network: torch.nn.Module) -> dict[str, Any]:
    """JSON-ready. A module or tensor that occurs twice is the same number twice."""
    return _module(network, {})


def _module(module: torch.nn.Module, known: dict[int, int]) -> dict[str, Any]:
    def number(thing: Any) -> int:
        return known.setdefault(id(thing), len(known))

    def tensors(held: Mapping[str, Any]) -> dict[str, list]:
        return {name: [number(tensor), list(tensor.shape), str(tensor.dtype)] for name, tensor in held.items()
                if tensor is not None}

    cls = type(module)
    return {
        "number": number(module), "type": [cls.__module__, cls.__name__],
        "bases": [_public(base) for base in cls.__mro__ if base.__module__.partition(".")[0] == "torch"],
        "parameters": tensors(module._parameters), "buffers": tensors(module._buffers),
        "transient": sorted(module._non_persistent_buffers_set),
        "norms": [[_public(type(hook)), hook.name, hook.dim] for hook in module._forward_pre_hooks.values()
                  if hasattr(hook, "name") and hasattr(hook, "dim")],
        "modules": {name: _module(child, known) for name, child in module._modules.items() if child is not None},
    }


def _public(cls: type) -> str:
    """The name under which users know a class: torch.nn.Linear, not torch.nn.modules.linear.Linear."""
    short = getattr(torch.nn, cls.__name__, None)
    return f"torch.nn.{cls.__name__}" if short is cls else f"{cls.__module__}.{cls.__name__}"


def standing_in(document: Mapping[str, Any]) -> Any:
    """What `pair_up` can pair in place of the network, where torch cannot be imported.

    Raises KeyError, TypeError, ValueError for another document.
    """
    return _standing_in(document, {})


def _standing_in(document: Mapping[str, Any], known: dict[int, Any]) -> Any:
    def tensor(described: list) -> Any:
        number, shape, dtype = described
        return known.setdefault(number, SimpleNamespace(shape=tuple(map(int, shape)), dtype=str(dtype)))

    module, name = document["type"]
    cls = type(name, tuple(layer_type(base) for base in document["bases"]), {"__module__": module, "parameters": _parameters})
    made = known.setdefault(document["number"], object.__new__(cls))
    made._parameters = {name: tensor(described) for name, described in document["parameters"].items()}
    made._buffers = {name: tensor(described) for name, described in document["buffers"].items()}
    made._non_persistent_buffers_set = set(document["transient"])
    made._forward_pre_hooks = {number: _hook(*norm) for number, norm in enumerate(document["norms"])}
    made._modules = {name: _standing_in(child, known) for name, child in document["modules"].items()}
    return made


def _hook(kind: str, name: str, dim: int) -> Any:
    hook = object.__new__(layer_type(kind))
    hook.name, hook.dim = name, dim
    return hook


def _parameters(module: Any) -> list[Any]:
    below = [tensor for child in module._modules.values() for tensor in child.parameters()]
    return [*module._parameters.values(), *below]


def paddles_standing_in(document: Mapping[str, Any]) -> Any:
    """What `pair_up` can pair in place of the Paddle layer that an old environment outlined. Its tensors have `trained` and
    `constant` (the one number that they hold, or None), beside shape and dtype.

    Raises KeyError, TypeError, ValueError for another document.
    """
    return _paddles(document, {})


def _paddles(document: Mapping[str, Any], known: dict[int, Any]) -> Any:
    def tensors(described: Mapping[str, list]) -> dict[str, Any]:
        return {name: known.setdefault(number, SimpleNamespace(
            shape=tuple(map(int, shape)), dtype=str(dtype), trained=bool(trained), constant=constant))
            for name, (number, shape, dtype, trained, constant) in described.items()}

    module, name = document["type"]
    bases = tuple(dict.fromkeys(map(_todays, document["bases"])))
    if module.partition(".")[0] != "paddle":
        bases = (type(name, bases, {"__module__": module}),)
    made = known.setdefault(document["number"], object.__new__(bases[0]))
    vars(made).update(
        _parameters=tensors(document["parameters"]), _buffers=tensors(document["buffers"]),
        _non_persistable_buffer_names_set=set(document["transient"]),
        _forward_pre_hooks={number: _todays_hook(*norm) for number, norm in enumerate(document["norms"])},
        _sub_layers={name: _paddles(child, known) for name, child in document["modules"].items()})
    return made


def _todays(path: str) -> type:
    """What today's Paddle calls a layer class of whatever Paddle."""
    name = path.rpartition(".")[2]
    found = getattr(paddle.nn, _OLD_NAMES.get(name, name), None)
    return found if isinstance(found, type) else layer_type(path)


def _todays_hook(path: str, name: str, dim: int) -> Any:
    module, _, kind = path.rpartition(".")
    hook = object.__new__(getattr(framework(module), kind, layer_type(path)))
    hook.name, hook.dim = name, dim
    return hook

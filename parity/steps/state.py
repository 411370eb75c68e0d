"""Training states: nested dicts of arrays and numbers, in the reference's names and layouts or in the twin's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.numbers.arrays import in_lane, rounds
from parity.numbers.noise import generator, one_ulp
from parity.pairing.parts import Parts
from weights_convert import Plan


def joined(state: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    """A state that was carried over, and what the side itself knew. Of gradients, those are taken over that neither side has
    cleared; where only one has, it does so at another place."""
    if not private:
        return dict(state)
    other = state.get("gradients", {})
    gradients = {name: other[name] if name in other and other[name].any() and own.any() else own
                 for name, own in private["gradients"].items()}
    return {**state, **private, "gradients": gradients}


def known_to(state: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """The networks of a state, and what it knows of the optimizers: the parameters with moments, and the learning rates."""
    return ({("network", network) for network in state["networks"]} | {("lr", name) for name in state.get("lr", {})}
            | {(network, name) for network, held in state.get("moments", {}).items() for name in held})


def entries(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What the networks of a state hold, by "network.name"."""
    return {f"{network}.{name}": array for network, held in state["networks"].items() for name, array in held.items()}


def carry(state: Mapping[str, Any], plans: Mapping[str, Plan]) -> dict[str, Any]:
    """A training state in the reference's names and layouts as one in the twin's, as far as the plans go."""
    networks = {network: plans[network].to_paddle({entry.source: values[entry.source] for entry in plans[network].entries.values()
                                                   if entry.source in values})
                for network, values in state["networks"].items() if network in plans}

    def over(network: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {entry.target: np.asarray(entry.to_paddle(values[entry.source]), order="C")
                if isinstance(values[entry.source], np.ndarray) else values[entry.source]
                for entry in plans[network].entries.values() if entry.target and entry.source in values}

    return _carried(state, networks, over)


def carry_back(state: Mapping[str, Any], plans: Mapping[str, Plan], own: Mapping[str, Mapping] | None = None,
               aliases: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
    """The inverse of `carry`. own: the reference's networks, of which is taken what the twin has no tensor for (the batches that a
    norm has counted). aliases: `Programs.aliases`, names that are a carried tensor all the same. Raises StateError where the twin's
    networks are not those of the plans."""
    networks = {network: plans[network].to_torch(values) for network, values in state["networks"].items() if network in plans}
    for network, values in networks.items():
        carried = plans[network].carried
        values.update({name: array for name, array in (own or {}).get(network, {}).items() if name not in carried})
        values.update({name: values[source] for name, source in (aliases or {}).get(network, {}).items()})

    def back(network: str, values: Mapping[str, Any]) -> dict[str, Any]:
        found, parts = {}, {}
        for entry in plans[network].entries.values():
            value = values.get(entry.target)
            if value is None:
                continue
            if isinstance(value, np.ndarray) and entry.rows:
                held = parts.setdefault(entry.source, Parts(entry.whole, entry.axis))
                held.add(entry, value)
                if not held.whole:
                    continue
                value = held.joined()
            elif isinstance(value, np.ndarray):
                value = np.asarray(entry.to_torch(value), order="C")
            found[entry.source] = value
        return found

    return _carried(state, networks, back)


def _carried(state: Mapping[str, Any], networks: dict[str, Any], other: Callable[[str, Mapping], dict]) -> dict[str, Any]:
    """other: (network, entry -> array or number) -> the same with the other side's names and layouts."""
    moments: dict[str, dict[str, dict]] = {}
    for network, parameters in state.get("moments", {}).items():
        kinds = {what for held in parameters.values() for what in held}
        for what in kinds if network in networks else ():
            for name, value in other(network, {name: held[what] for name, held in parameters.items() if what in held}).items():
                moments.setdefault(network, {}).setdefault(name, {})[what] = value
    gradients = {}
    for network in networks:
        held = {name.removeprefix(f"{network}."): gradient for name, gradient in state.get("gradients", {}).items()
                if name.startswith(f"{network}.")}
        gradients |= {f"{network}.{name}": gradient for name, gradient in other(network, held).items()}
    averages = {name: {network: other(network, values) for network, values in held.items() if network in networks}
                for name, held in state.get("averages", {}).items()}
    shared = {key: value for key, value in state.items() if key != "own"}
    return {**shared, "networks": networks, "moments": moments, "gradients": gradients, "averages": averages}


def _map_arrays(value: Any, change: Callable[[str, np.ndarray], np.ndarray], path: str = "") -> Any:
    if isinstance(value, np.ndarray) and rounds(value.dtype):
        return change(path, value)
    if isinstance(value, Mapping):
        return {key: _map_arrays(item, change, f"{path}/{key}") for key, item in value.items()}
    return value


def cast(state: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    return _map_arrays(state, lambda path, array: in_lane(array, dtype))


def moved(state: Mapping[str, Any], *names: object) -> dict[str, Any]:
    """The state with every weight, buffer and moment moved by one ulp."""
    return _map_arrays(state, lambda path, array: one_ulp(array, generator("ulp", *names, path)))

"""A conversion that somebody made by hand, checked: is every tensor of the Paddle files what the torch checkpoint says?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parity.conversion.networks import Networks
from parity.files import InputError
from parity.numbers.arrays import resemblance
from weights_convert import Plan, paddle_networks, torch_networks
from weights_convert.bits import same_bits


@dataclass(frozen=True)
class Misfit:
    """A tensor that is not what it should be. source, target: its names in the checkpoint and in Paddle's file; None where it is on
    one side only."""

    network: str
    source: str | None
    target: str | None
    what: str


@dataclass(frozen=True)
class Checked:
    """tensors: how many should be in Paddle's files, by network."""

    tensors: Mapping[str, int]
    misfits: tuple[Misfit, ...]
    guesses: Mapping[str, tuple[str, ...]]


def against(source: str | Path, by_hand: str | Path, known: Networks, *, network: str | None = None,
            prefix: str | None = None) -> Checked:
    """Check Paddle's files (one file, or the folder of one a network) against the checkpoint that they were made from.

    A tensor of another precision is no misfit where it holds the same numbers after rounding to it. Raises InputError where no
    network is in both, ConversionError where files or networks cannot be used.
    """
    network = known.single(network)
    states = torch_networks(Path(source), prefix, network)
    _, found = paddle_networks(Path(by_hand), None, (network,) if network else known.names)
    if not states.keys() & found.keys():
        raise InputError(f"{by_hand}: expected the networks of {source} ({', '.join(states)}), found {', '.join(found)}")
    sizes = known.infer(network is not None)(states)
    tensors, misfits, guesses = {}, [], {}
    for name in states:
        module, layer = known.build(name, sizes[name])
        plan = known.pairing(module, layer, known.layouts)
        tensors[name], guesses[name] = sum(entry.target is not None for entry in plan.entries.values()), plan.remarks
        misfits += _misfits(name, plan, states[name], found.get(name, {}), known)
    return Checked(tensors, tuple(misfits), guesses)


def _misfits(network: str, plan: Plan, state: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray],
             known: Networks) -> Iterator[Misfit]:
    expected = {entry.target: entry for entry in plan.entries.values() if entry.target is not None}
    for target, entry in expected.items():
        if entry.source not in state:
            yield Misfit(network, entry.source, target, "the checkpoint has no such tensor")
        elif target not in found:
            yield Misfit(network, entry.source, target, "missing in Paddle's file")
        else:
            right = entry.to_paddle(state[entry.source])
            if said := _difference(right, found[target]):
                yield Misfit(network, entry.source, target, said)
    sources = {entry.source for entry in plan.entries.values()}
    for name in state:
        if name not in sources and not known.leaves_out(name):
            yield Misfit(network, name, None, "the reference has no such tensor")
    for name in found:
        if name not in expected and name not in plan.derived and not known.leaves_out(name):
            yield Misfit(network, None, name, "the twin has no such tensor")


def _difference(right: np.ndarray, found: np.ndarray) -> str | None:
    if right.shape != found.shape:
        transposed = right.T.shape == found.shape and np.array_equal(right.T, found)
        return f"expected shape {right.shape}, found {found.shape}{': it is not transposed as it should be' if transposed else ''}"
    if right.dtype == found.dtype:
        if same_bits(right, found):
            return None
    elif np.array_equal(right.astype(found.dtype), found, equal_nan=found.dtype.kind == "f"):
        return None
    if right.ndim == 2 and right.shape[0] == right.shape[1] and np.array_equal(right.T, found):
        return "it is transposed where it should not be, or not where it should: a square matrix fits either way"
    different = np.argwhere(~np.isclose(right.astype(np.float64), found.astype(np.float64), rtol=0, atol=0, equal_nan=True))
    if not len(different):
        return "the same numbers in other bits: the sign of a zero, or what a NaN carries"
    likeness, first = resemblance(right, found), tuple(map(int, different[0]))
    values = f"{len(different)} of {right.size} numbers differ, at {list(first)} expected {right[first]:g}, found {found[first]:g}"
    return f"{likeness} ({values})" if likeness else values

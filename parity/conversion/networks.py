"""Which networks are converted: those of a pair that a user declares, or of the pair that is meant where none is named."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from parity.declare import declared
from parity.files import InputError
from parity.pairing.correspondence import correspond
from weights_convert import DEFAULT, LayoutTable, Plan, paddle_skeleton, pair_up, settled, torch_skeleton

MEANT = "parity.ugatit.networks"
"""The module whose `OFFICIAL` is meant without a pair. A name, as a user's is: general code loads it only when it is asked for."""


@dataclass(frozen=True)
class Networks:
    """What the converter needs to know of some networks. reference, twin: (name, sizes) -> the network with its weights' memory.

    inputs: (name, sizes) -> what a forward is tried on, float32 or integer arrays by name. names: all that there are.
    arrange: (name, side, tensors) -> positional and keyword arguments of that side (0 the reference, 1 the twin).
    said: reference path -> twin path, as a pair names them; None where both sides must have the same names.
    without: patterns (`*`, `?`) of tensors, by either side's name, that are left out.
    """

    reference: Callable[[str, Any], Any]
    twin: Callable[[str, Any], Any]
    inputs: Callable[[str, Any], Mapping[str, np.ndarray]]
    names: tuple[str, ...]
    layouts: LayoutTable = DEFAULT
    arrange: Callable[[str, int, Sequence[Any]], tuple[tuple, dict]] = lambda name, side, tensors: (tuple(tensors), {})
    said: Mapping[str, str] | None = None
    without: tuple[str, ...] = ()

    def build(self, network: str, sizes: Any) -> tuple[Any, Any]:
        """Both sides of one network, without memory for weights: only names, types and shapes are read."""
        return torch_skeleton(lambda: self.reference(network, sizes)), self.skeleton(network, sizes)

    def skeleton(self, network: str, sizes: Any) -> Any:
        return paddle_skeleton(lambda: self.twin(network, sizes))

    def pairing(self, module: Any, layer: Any, table: LayoutTable) -> Plan:
        """As `parity compare` pairs them, where the pair lets names differ; what is left out on purpose is not missed.

        Raises LayoutError: every tensor without a partner.
        """
        if self.said is None:
            paired, problems = pair_up(module, layer, table)
        else:
            found = correspond(module, layer, table, self.said)
            paired, problems = replace(found.plan, remarks=tuple(map(str, found.guesses))), found.problems
        excused = {problem.name for problem in problems if self.leaves_out(problem.name)}
        kept = paired.without(self.leaves_out)
        return settled(replace(kept, left_out=kept.left_out | excused), [one for one in problems if one.name not in excused])

    def single(self, network: str | None) -> str | None:
        """The network that is meant: the one that was named, or the only one."""
        return self.names[0] if network is None and len(self.names) == 1 else network

    def leaves_out(self, tensor: str) -> bool:
        return any(fnmatchcase(tensor, pattern) for pattern in self.without)

    def infer(self, some: bool) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
        """How sizes are found, from states by network: a declared pair is of one size. some: not all networks need be there."""
        return self._known

    def as_in(self, receipt: Mapping[str, Any]) -> Networks:
        """These, told what an earlier conversion knew and tensors do not say: nothing, for a pair of one size."""
        return self

    def _known(self, states: Mapping[str, Any]) -> dict[str, None]:
        if unknown := [name for name in states if name not in self.names]:
            raise InputError(f"expected the networks {', '.join(self.names)} of the declared pair, found {', '.join(unknown)}; "
                             "--network NAME takes one, --prefix NAME what lies under a name")
        return dict.fromkeys(states)


def networks(pair: str | None, without: Sequence[str] = (), decoder_norm: str | None = None) -> Networks:
    """Those of a user's pair file or module, or of the pair that is meant where none is named. Raises InputError.

    decoder_norm: of the pair that is meant, where its tensors cannot tell.
    """
    if pair is None:
        return replace(importlib.import_module(MEANT).OFFICIAL, without=tuple(without), decoder_norm=decoder_norm)
    found = declared.networks(pair)
    one = next(iter(found.values())).pair
    return Networks(lambda name, _: found[name].reference(), lambda name, _: found[name].twin(), lambda name, _: found[name].inputs,
                    tuple(found), one.layouts, lambda name, side, tensors: found[name].arrange(side, tensors), one.names,
                    tuple(without))

"""Weights that are divided by a spectral norm, of which one side keeps no u and v, or some of other lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from parity.pairing.fitting import Held
from parity.pairing.nodes import Shape
from weights_convert import Entry, Problem

ORIGINAL, VECTORS = "_orig", ("_u", "_v")
"""How both frameworks call what a spectral norm makes of a weight."""


class Misfit(NamedTuple):
    """What there is to say of a layer whose weights have partners and whose u and v cannot have any. weight: what these are of.
    reference, twin: their names on either side."""

    problem: Problem
    weight: Entry
    reference: tuple[str, ...]
    twin: tuple[str, ...]


def vectors(held: Sequence[Held]) -> list[Held]:
    """The u and v among these."""
    return [tensor for tensor in held if tensor.known_as.endswith(VECTORS)]


def misfit(ours: Sequence[Held], theirs: Sequence[Held], weight: Entry) -> Misfit | None:
    """ours, theirs: u and v without partner of one layer, on either side; none where a side keeps none. weight: what they are
    of."""
    if ours and theirs:
        dims = (_dim(ours, weight.source_shape), _dim(theirs, weight.target_shape))
        if None in dims:
            return None
        problem = Problem(weight.source, "the spectral norm is over dim {theirs} of the twin's weight, over dim {ours} of the "
                          "reference's", {"ours": dims[0], "theirs": dims[1]})
    elif ours:
        problem = Problem(weight.source, "the reference divides it by its spectral norm and keeps u and v, the twin keeps none: it "
                          "has no spectral norm here, or one that begins anew at each forward")
    elif theirs:
        problem = Problem(weight.source, "the twin divides it by a spectral norm and keeps u and v, the reference keeps none")
    else:
        return None
    return Misfit(problem, weight, tuple(tensor.full for tensor in ours), tuple(tensor.full for tensor in theirs))


def _dim(pair: Sequence[Held], shape: Shape | None) -> int | None:
    """The axis of a weight over which these u and v are its norm's; None where they are not."""
    lengths = {tensor.known_as[-2:]: math.prod(tensor.shape) for tensor in pair}
    if shape is None or lengths.keys() != set(VECTORS):
        return None
    return next((axis for axis, rows in enumerate(shape)
                 if (rows, math.prod(shape) // max(rows, 1)) == (lengths["_u"], lengths["_v"])), None)

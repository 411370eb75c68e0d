"""Which single tensor can become which, where no rule of two layer types says so: by shape, and by how matrices are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from parity.pairing.nodes import Node, Shape, shape_of
from weights_convert import Entry, dtypes
from weights_convert.plan import parametrized


class Held(NamedTuple):
    """A tensor and the module that holds it. known_as: its name in the old style of norms (`weight_orig`). layer: the kind of the
    layer whose layout it has, the module's own or that of the one that it wraps."""

    node: Node
    name: str
    tensor: Any
    known_as: str
    layer: str

    @property
    def full(self) -> str:
        return f"{self.node.path}.{self.name}".strip(".")

    @property
    def shape(self) -> Shape:
        return shape_of(self.tensor)

    @property
    def dtype(self) -> str:
        return str(self.tensor.dtype).rpartition(".")[2]

    @property
    def outputs_last(self) -> bool | None:
        """Of a matrix, whether its axes are (inputs, outputs); None where nothing tells."""
        if self.layer == "linear":
            return self.node.is_paddles and ".compat." not in type(self.node.module).__module__
        return True if type(self.node.module).__name__ == "Conv1D" else None  # of transformers, a Linear in GPT-2's layout


def held(node: Node, layer: str = "") -> list[Held]:
    """What the module holds itself. layer: the kind of the layer that it is around."""
    old = {name: known for name, (known, _) in parametrized(node.module).items()}
    return [Held(node, name, tensor, old.get(name, name), layer or node.kind) for name, tensor in node.own.items()]


def fit(ours: Held, theirs: Held) -> str | None:
    """The rule by which the one becomes the other; None where it cannot."""
    a, b = ours.shape, theirs.shape
    if dtypes.kind(ours.dtype) != dtypes.kind(theirs.dtype) or not _related(ours.layer, theirs.layer):
        return None
    if len(a) == len(b) == 2 and "linear" in (ours.layer, theirs.layer):
        turned = bool(ours.outputs_last) != (theirs.outputs_last is not False)  # what nothing tells of, as in a Linear of its side
        told = a == a[::-1] or None not in (ours.outputs_last, theirs.outputs_last)
        rules = {"transpose": b == a[::-1], "identity": a == b}
        return next((rule for rule, fits in rules.items() if fits and (not told or turned == (rule == "transpose"))), None)
    if theirs.layer == "linear" and len(b) == 2 and len(a) > 2 and set(a[2:]) == {1} and a[1::-1] == b:
        return "matrix"
    if a == b:
        return "identity"
    return "reshape" if [n for n in a if n != 1] == [n for n in b if n != 1] else None


def is_doubtful(ours: Held, theirs: Held) -> bool:
    """Whether it is a square matrix of a Linear on one side, which may lie either way on the other."""
    a, b = ours.shape, theirs.shape
    return len(a) == len(b) == 2 and a == b == a[::-1] and a[0] > 1 and (ours.layer == "linear") != (theirs.layer == "linear")


def cut(fused: Sequence[Held], pieces: Sequence[Sequence[Held]]) -> list[Entry]:
    """The entries by which the tensors of a fused layer (a matrix, perhaps with a bias) become those of several; [] where they
    cannot: where the sizes do not add up along the outputs."""
    ours = {len(tensor.shape): tensor for tensor in fused}
    theirs = [{len(tensor.shape): tensor for tensor in piece} for piece in pieces]
    if 2 not in ours or not ours.keys() <= {1, 2} or len(ours) != len(fused):
        return []
    if any(part.keys() != ours.keys() or len(part) != len(piece) for part, piece in zip(theirs, pieces, strict=True)):
        return []
    entries: list[Entry] = []
    for rank, tensor in ours.items():
        parts = [part[rank] for part in theirs]
        found = next((found for axis in range(rank) if (found := _pieces(tensor, parts, axis))), [])
        if not found:
            return []
        entries += found
    return entries


def _pieces(tensor: Held, parts: Sequence[Held], axis: int) -> list[Entry]:
    """The entries of one tensor that is cut along that axis, on which its outputs lie."""
    matrix = len(tensor.shape) == 2
    if matrix and tensor.outputs_last not in (None, axis == 1):
        return []
    entries, start = [], 0
    for part in parts:
        turned = matrix and part.outputs_last is not None and part.outputs_last != (axis == 1)
        shape = part.shape[::-1] if turned else part.shape
        if matrix and shape[1 - axis] != tensor.shape[1 - axis]:
            return []
        entries.append(Entry(tensor.full, part.full, tensor.shape, part.shape, tensor.dtype,
                             "transpose" if turned else "identity", (start, start + shape[axis]), axis))
        start += shape[axis]
    return entries if start == tensor.shape[axis] else []


def _related(ours: str, theirs: str) -> bool:
    """Whether a layer of the one kind may hold what one of the other does; one of the user's own may hold anything."""
    pointwise = {ours[:4], theirs[:4]} == {"conv", "line"}
    return pointwise or ours.startswith(theirs) or theirs.startswith(ours)

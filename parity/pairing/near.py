"""What has no partner, and what on the other side might have been meant for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from parity.messages import Message, say
from parity.pairing import hints
from parity.pairing.nodes import Node, below, shape_of

Models = tuple[Any, Any]


class NearMiss(NamedTuple):
    """A module of the reference with a tensor without partner, one of the twin with another, and why they are no pair."""

    reference: str
    twin: str
    why: Message

    def said(self) -> Message:
        return say("{one} ~ {other}: {why}", one=self.reference, other=self.twin, why=self.why)


def near_misses(models: Models, lone: tuple[Iterable[str], Iterable[str]]) -> list[NearMiss]:
    """lone: of either side, the full names of the tensors that have no partner. The best of each module of the reference."""
    owners = [[node for node in below(Node("", model)) if any(_owner(name) == node.path for name in names)]
              for model, names in zip(models, map(list, lone), strict=True)]
    found = []
    for one in owners[0]:
        compared = [(rank, other, why) for other in owners[1] if (judged := _why(one, other)) for rank, why in [judged]]
        if compared:
            best = max(compared, key=lambda each: each[0])
            found.append(NearMiss(described(one), described(best[1]), best[2]))
    return found


def described(node: Node) -> str:
    """Its path, type and shapes: norm0 BatchNorm2d(8)."""
    shapes = [shape_of(tensor) for tensor in node.own.values() if len(shape_of(tensor))]
    largest = max(shapes, key=len, default=())
    return f"{node.path or '(the model)'} {type(node.module).__name__}({', '.join(map(str, largest))})"


def _why(one: Node, other: Node) -> tuple[tuple[int, float], Message] | None:
    """How near, with names to tell where it is equal; None where nothing is alike."""
    bare = [sorted(tuple(n for n in shape_of(tensor) if n != 1) for tensor in node.own.values()) for node in (one, other)]
    turned = [sorted(tuple(sorted(shape)) for shape in shapes) for shapes in bare]
    likeness = hints.likeness(one.path or "-", other.path or "+")
    if one.shapes() and one.shapes() == other.shapes():
        return (4, likeness), say("same shape, other type") if one.kind != other.kind else say("same type and shape")
    if bare[0] == bare[1] and any(bare[0]):
        return (3, likeness), say("same shape, other type")
    if turned[0] == turned[1] and any(turned[0]):
        return (2, likeness), say("same shape, the axes in another order")
    if one.kind and one.kind == other.kind:
        return (1, likeness), say("same type, other shape")
    return ((0, likeness), say("like name, other type and shape")) if likeness else None


def plain_tensors(partner: Any, names: Sequence[str]) -> Iterator[str]:
    """Those of the names that a module has as a plain tensor: no state dict holds it, and no optimizer trains it."""
    for name in names:
        value = vars(partner).get(name)
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            yield name


def _owner(name: str) -> str:
    return name.rpartition(".")[0]

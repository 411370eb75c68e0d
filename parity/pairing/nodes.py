"""One module as pairing sees it: which layer it is, and what it holds, in words that both frameworks share."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from weights_convert.plan import parametrized

_LISTS = {"ModuleList", "ModuleDict", "LayerList", "LayerDict", "ParameterList", "ParameterDict"}  # are never called
_CONTAINERS = {"Sequential", *_LISTS}
_AROUND = {"AveragedModel", "DataParallel", "DistributedDataParallel", "OptimizedModule"}  # a model of the user's
_ROOTS = {"Module", "Layer", "object"}
_ALIASES = {"simplernn": "rnn", "swish": "silu", "simplernncell": "rnncell", "nondynamicallyquantizablelinear": "linear",
            "syncbatchnorm": "batchnorm", **{f"batchnorm{d}d": "batchnorm" for d in (1, 2, 3)}}
WHOLE = frozenset({"multiheadattention", "lstm", "gru", "rnn"})
"""One framework keeps their weights in more pieces than the other."""

_STATISTICS = {"_mean", "_variance", "weight_u", "weight_v"}  # Paddle keeps these of norms as frozen parameters

Shape = tuple[int, ...]


class Node(NamedTuple):
    """A module and its path in the model. opened: the kinds of `WHOLE` that count as what they are made of."""

    path: str
    module: Any
    opened: frozenset[str] = frozenset()

    @property
    def children(self) -> dict[str, Node]:
        """By name; a module that occurs twice occurs twice."""
        if self._layer_name in WHOLE - {"multiheadattention"}:
            return {}  # Paddle's cells hold the same tensors once more
        held = self.module._sub_layers if self.is_paddles else self.module._modules
        return {name: Node(f"{self.path}.{name}".strip("."), child, self.opened) for name, child in held.items()
                if child is not None and name != "parametrizations"}

    @property
    def is_paddles(self) -> bool:
        """Whether it is of Paddle, whose layers have an alias for everything of torch's modules."""
        return "_sub_layers" in vars(self.module)

    @property
    def uses_uncalled(self) -> bool:
        """Whether it reads the weights of the layers in it, and does not call them."""
        return self.layer is not None and self.layer.__name__ == "MultiheadAttention"  # torch's; Paddle's has a large H

    @property
    def is_list(self) -> bool:
        """Whether it only holds modules, and is never called."""
        return type(self.module).__name__ in _LISTS

    @property
    def is_container(self) -> bool:
        return type(self.module).__name__ in _CONTAINERS

    @property
    def layer(self) -> type | None:
        """The library's layer that it is, or inherits from; None for a container or a class of the user's own."""
        for base in type(self.module).__mro__:
            if (base.__module__.partition(".")[0] in ("torch", "paddle") and ".vision." not in base.__module__
                    and not base.__name__.startswith("Parametrized")):
                around_cells = self.is_paddles and base.__name__ in ("RNN", "BiRNN")
                return None if around_cells or base.__name__ in _ROOTS | _CONTAINERS | _AROUND else base
        return None

    @property
    def _layer_name(self) -> str:
        layer = self.layer
        if layer is None:
            return ""
        name = re.sub(r"conv(\d)dtranspose", r"convtranspose\1d", layer.__name__.lower())
        return _ALIASES.get(name, name)

    @property
    def kind(self) -> str:
        """The name of that layer as both frameworks would call it; "" without one."""
        name = self._layer_name
        return "" if name in self.opened else name

    @property
    def own(self) -> dict[str, Any]:
        """Its own parameters and buffers; of a library's layer those that a state dict holds, the others are its own affair."""
        held = {**self.module._parameters, **self.module._buffers}
        if type(self.module) is self.layer:
            hidden = "_non_persistable_buffer_names_set" if self.is_paddles else "_non_persistent_buffers_set"
            held = {name: tensor for name, tensor in held.items() if name not in getattr(self.module, hidden)}
        applied = {name: tensor for name, (_, tensor) in parametrized(self.module).items()}
        return {name: tensor for name, tensor in held.items() if tensor is not None} | applied

    @property
    def trained(self) -> dict[str, Any]:
        """Its own parameters; statistics of norms are none."""
        applied = {name: tensor for name, (old, tensor) in parametrized(self.module).items() if old not in _STATISTICS}
        return {name: tensor for name, tensor in self.module._parameters.items()
                if tensor is not None and name not in _STATISTICS} | applied

    def shapes(self) -> list[Shape]:
        """Of what it trains itself, in torch's layout."""
        shapes = [shape_of(tensor) for tensor in self.trained.values()]
        if self.kind == "linear" and self.layer.__module__.startswith("paddle.nn"):
            shapes = [shape[::-1] for shape in shapes]
        return sorted(shapes)

    def signature(self) -> tuple:
        """Layer type and shapes of its own tensors; () if it has none that say anything."""
        if self.kind in WHOLE:
            return self.kind, elements(self)
        shapes = self.shapes()
        if not shapes and self.kind:  # a norm without affine has its statistics
            shapes = sorted(shape for tensor in self.own.values() if (shape := shape_of(tensor)))
        return (self.kind, *shapes) if shapes else ()

    def content(self) -> Counter:
        """The signatures of all that is below, and its own."""
        found = Counter([self.signature()])
        for child in self.children.values() if self.kind not in WHOLE else ():
            found += child.content()
        del found[()]
        return found

    def bare(self) -> Counter:
        """The shapes of all that is trained in it, whatever layers it is in: without axes of length 1, in any order of axes."""
        return Counter(tuple(sorted(n for n in shape_of(tensor) if n != 1)) for tensor in trained(self).values())


def shape_of(tensor: Any) -> Shape:
    return tuple(int(n) for n in tensor.shape)


def below(node: Node) -> Iterator[Node]:
    """The module and all in it."""
    yield node
    for child in node.children.values():
        yield from below(child)


def trained(node: Node) -> dict[int, Any]:
    """All parameters in a module, each once, by id; statistics of norms are none."""
    return {id(tensor): tensor for one in below(node) for tensor in one.trained.values()}


def elements(node: Node) -> int:
    """How many numbers are trained in it."""
    return sum(math.prod(shape_of(tensor)) for tensor in trained(node).values())

"""A network of which there is an outline alone, as pairing asks of a framework."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


class Outlined:
    """What `weights_convert.outline.paddles_standing_in` makes, behind the part of `Framework` that a census needs."""

    name = "paddle"

    def modules(self, model: Any, path: str = "", known: set[int] | None = None) -> Iterator[tuple[str, Any]]:
        known = set() if known is None else known
        if id(model) in known:
            return
        known.add(id(model))
        yield path, model
        for name, child in model._sub_layers.items():
            yield from self.modules(child, f"{path}.{name}".strip("."), known)

    def parameters(self, model: Any) -> dict[str, Any]:
        return self._first(model, "_parameters")

    def buffers(self, model: Any) -> dict[str, Any]:
        return self._first(model, "_buffers")

    def entries(self, model: Any) -> dict[str, Any]:
        return {f"{path}.{name}".strip("."): tensor for path, module in self.modules(model)
                for held in (module._parameters, module._buffers) for name, tensor in held.items()}

    def unsaved(self, model: Any) -> frozenset[str]:
        return frozenset()  # nobody knows what they hold, so they are compared when they have been recorded

    def requires_grad(self, tensor: Any) -> bool:
        return tensor.trained

    def shape_dtype(self, tensor: Any) -> tuple[tuple[int, ...], str]:
        return tensor.shape, tensor.dtype.rpartition(".")[2]

    def array(self, tensor: Any, *, copy: bool) -> np.ndarray:
        """What it was built with, where that is one number; else NaN."""
        return np.full(tensor.shape, np.nan if tensor.constant is None else tensor.constant)

    def _first(self, model: Any, kind: str) -> dict[str, Any]:
        """Each tensor once, under the first of its names."""
        known: dict[int, str] = {}
        for path, module in self.modules(model):
            for name, tensor in getattr(module, kind).items():
                known.setdefault(id(tensor), f"{path}.{name}".strip("."))
        entries = self.entries(model)
        return {name: entries[name] for name in known.values()}

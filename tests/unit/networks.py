"""Networks of names and shapes alone, with or without the frameworks: what pairing asks of the real ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from weights_convert.absent import framework

_BASES = {"torch": framework("torch").nn.Module, "paddle": framework("paddle").nn.Layer}


def network(kind: str, name: str = "Net", /, **parts: Any) -> Any:
    """kind: torch or paddle. name: of a layer of that framework, else of a user's class. parts: shapes of tensors, or networks."""
    library = framework(kind).nn
    known = name in ("Linear", "Conv2d", "Conv2D", "LayerNorm", "Embedding", "ReLU", "Sequential")
    cls = getattr(library, name) if known else type(name, (_BASES[kind],), {"__module__": "mine"})
    made = object.__new__(cls)
    tensors = {key: SimpleNamespace(shape=shape, dtype=f"{kind}.float32") for key, shape in parts.items()
               if isinstance(shape, tuple)}
    below = {key: part for key, part in parts.items() if not isinstance(part, tuple)}
    common = {"_parameters": tensors, "_buffers": {}, "_forward_pre_hooks": {}}
    vars(made).update(common | ({"_modules": below, "_non_persistent_buffers_set": set()} if kind == "torch" else
                                {"_sub_layers": below, "_non_persistable_buffer_names_set": set()}))
    return made


def linear(kind: str, inputs: int, outputs: int) -> Any:
    weight = (outputs, inputs) if kind == "torch" else (inputs, outputs)
    return network(kind, "Linear", weight=weight, bias=(outputs,))

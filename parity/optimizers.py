"""Watching optimizers: gradients when backward ends and after clearing, each update, the moments, the settings."""

from __future__ import annotations

import functools
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from parity.frameworks import Framework
from parity.source import SourceTree
from parity.trace import Recorder


@contextmanager
def watching(framework: Framework, recorder: Recorder, source: SourceTree, optimizers: Mapping[str, Any],
             parameters: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """Record what the optimizers do while the block runs; their methods are wrapped on the instances, and restored.

    optimizers: name -> optimizer. parameters: full name -> parameter, of all watched models. Before an optimizer's step
    the gradients of *all* parameters are recorded (backward has ended), and its learning rate; after it each parameter's
    change and moments. After a clearing, the gradients of its parameters. Yields name -> checksum of each parameter right
    after its latest update, so that later changes (a clipping) can be told.
    """
    names = {id(parameter): name for name, parameter in parameters.items()}
    restore: list[Callable[[], None]] = []
    updated: dict[str, int] = {}

    def wrap(optimizer: Any, method: str, around: Callable) -> None:
        original = getattr(optimizer, method)
        own = vars(optimizer).get(method)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return around(lambda: original(*args, **kwargs), source.site(sys._getframe(1)))

        setattr(optimizer, method, wrapped)
        restore.append(lambda: delattr(optimizer, method) if own is None else setattr(optimizer, method, own))

    for optimizer_name, optimizer in optimizers.items():
        held = [(names[id(p)], p) for p in framework.optimizer_parameters(optimizer) if id(p) in names]

        def step(proceed, site, optimizer=optimizer, optimizer_name=optimizer_name, held=held):
            recorder.snapshot_gradients()
            lr = framework.optimizer_settings(optimizer)["lr"]
            recorder.emit_array("update", f"{optimizer_name}.lr", np.asarray(lr, np.float64), site=site, scale=abs(lr),
                                entry=False)
            before = {name: framework.array(parameter, copy=True) for name, parameter in held}
            result = proceed()
            for name, parameter in held:
                old, new = before[name], framework.array(parameter, copy=True)
                updated[name] = checksum(new)
                # The change is a difference of two numbers that were rounded at the size of the weight itself.
                recorder.emit_array("update", name, new - old, site=site, scale=float(np.linalg.norm(old.ravel())),
                                    norm=True)
                for what, array in framework.optimizer_state(optimizer, parameter).items():
                    largest = float(np.abs(array).max()) if array.size else 0.0
                    recorder.emit_array("update", name, array, site=site, suffix=f".{what}", scale=largest)
            return result

        def clear(proceed, site, held=held):
            result = proceed()
            for name, parameter in held:
                gradient = framework.gradient(parameter)
                array = None if gradient is None else framework.array(gradient, copy=True)
                recorder.emit_array("gradients", name, array, site=site, suffix=" (cleared)")
            return result

        wrap(optimizer, "step", step)
        wrap(optimizer, framework.clear_method, clear)
    try:
        yield updated
    finally:
        for undo in reversed(restore):
            undo()


def checksum(array: np.ndarray) -> int:
    """Of the array's bytes."""
    return zlib.crc32(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)

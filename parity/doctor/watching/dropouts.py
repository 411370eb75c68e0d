"""Functional dropout in a network's forward that is not told whether the network is in training: it drops in eval mode, too."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers


def is_told(dropout: Callable, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call of functional dropout says anything of training."""
    return "training" in kwargs or len(args) > list(inspect.signature(dropout).parameters).index("training")


class Dropouts:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        self._original = self._scene.framework.functional.dropout
        wrappers.function(self._scene.framework.functional, "dropout", self._dropout)

    def _dropout(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene = self._scene
        called_by = sys._getframe(2).f_code.co_filename  # behind the wrapper; a library's layer knows its mode
        in_eval = bool(scene.running) and not scene.program.modules[scene.running[0]].training
        if in_eval and called_by in scene.program.source and not is_told(self._original, args, kwargs):
            scene.current.dropouts.append(scene.site())
        return original(*args, **kwargs)

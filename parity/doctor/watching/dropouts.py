"""Functional dropout in a network's forward that is not told whether the network is in training: it drops in eval mode, too."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers


class Dropouts:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        functional = self._scene.framework.functional
        self._place = list(inspect.signature(functional.dropout).parameters).index("training")
        wrappers.function(functional, "dropout", self._dropout)

    def _dropout(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene = self._scene
        called_by = sys._getframe(2).f_code.co_filename  # behind the wrapper; a library's layer knows its mode
        if scene.running and len(args) <= self._place and "training" not in kwargs and called_by in scene.program.source:
            scene.current.dropouts.append(scene.site())
        return original(*args, **kwargs)

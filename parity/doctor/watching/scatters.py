"""Rows that are written to places by number: where one place gets several, the last of them is all that stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers


class Scatters:
    """Paddle's `scatter` writes over what is there unless it is told otherwise."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        if self._scene.framework.name == "paddle":
            wrappers.function(self._scene.framework.root, "scatter", self._scatter)

    def _scatter(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene, framework = self._scene, self._scene.framework
        result = original(*args, **kwargs)
        named = dict(zip(("x", "index", "updates", "overwrite"), args, strict=False)) | kwargs
        if scene.current.close and named.get("overwrite", True) and framework.is_tensor(named.get("updates")) and (
                framework.requires_grad(named["updates"])):
            places = framework.values(named["index"]).ravel()
            lost = places.size - np.unique(places).size
            if lost:
                scene.current.written_over.append((lost, places.size, scene.site()))
        return result

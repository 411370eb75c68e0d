"""Cosines of two things that are both trained: are they pushed apart anywhere, or only drawn together?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.doctor.record import Pull
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers


class Pulls:
    """In iterations that are watched closely."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        wrappers.function(self._scene.framework.functional, "cosine_similarity", self._cosine)

    def _cosine(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene, framework = self._scene, self._scene.framework
        result = original(*args, **kwargs)
        if scene.current.close and framework.is_tensor(result) and len(args) > 1 and all(map(framework.requires_grad, args[:2])):
            pull = Pull(scene.site())
            scene.current.pulls.append(pull)

            # The hook dies with the graph; it holds a truth value only.
            def observe(gradient: Any) -> None:
                if gradient is not None:
                    pull.only = bool((framework.values(gradient) <= 0).all()) and pull.only is not False

            framework.on_gradient(result, observe)
        return result

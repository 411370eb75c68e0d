"""Random numbers that a loss is held against, and draws of a distribution that is trained."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from parity.doctor.program import with_subclasses
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers

_DRAWING = ("randn", "randn_like", "rand", "rand_like", "normal", "uniform")


class Draws:
    """In iterations that are watched closely."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._drawn: dict[int, tuple[weakref.ref, int]] = {}  # tensor -> tick
        self._of: dict[int, tuple[weakref.ref, str, Any]] = {}  # draw of a distribution with a graph -> its class, the line

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        for name in _DRAWING:
            if hasattr(framework.root, name):
                wrappers.function(framework.root, name, self._draw)
        for kind in with_subclasses(framework.distribution_class):
            if "sample" in vars(kind) and hasattr(kind, "rsample"):
                wrappers.function(kind, "sample", self._sample)
            if "log_prob" in vars(kind):
                wrappers.function(kind, "log_prob", self._score)

    def _draw(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        result = original(*args, **kwargs)
        if self._scene.current.close and self._scene.framework.is_tensor(result):
            self._drawn[id(result)] = weakref.ref(result), self._scene.tick()
        return result

    def is_late(self, target: Any) -> bool:
        """Whether this was drawn after the network that ran last."""
        known, tick = self._drawn.get(id(target), ((lambda: None), 0))
        return known() is target and tick > self._scene.last_forward.get(self._scene.last_network, tick)

    def _sample(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """Of a distribution whose draws could have a graph, and have none."""
        scene, framework = self._scene, self._scene.framework
        result = original(*args, **kwargs)
        if (scene.current.close and framework.grad_enabled() and framework.is_tensor(result) and not framework.requires_grad(result)
                and self._has_graph(args[0]) and getattr(args[0], "has_rsample", True)):
            self._of[id(result)] = weakref.ref(result), type(args[0]).__name__, scene.site()
        return result

    def _score(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        if self._scene.current.close and self._has_graph(args[0]):
            self._scene.current.scored.add(type(args[0]).__name__)
        return original(*args, **kwargs)

    def _has_graph(self, distribution: Any) -> bool:
        framework = self._scene.framework
        return any(framework.is_tensor(value) and framework.requires_grad(value) for value in vars(distribution).values())

    def note_call(self, network: str, args: tuple) -> None:
        """A network is given this: is it such a draw?"""
        for value in args:
            known, kind, site = self._of.get(id(value), ((lambda: None), "", None))
            if known() is value and value is not None:
                self._scene.current.draws.append((kind, network, site))

    def end(self) -> None:
        self._drawn.clear()
        self._of.clear()

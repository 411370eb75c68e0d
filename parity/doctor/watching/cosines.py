"""Scores that are cosines times a number: how large can they be?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers
from parity.trace.source import Site

EXACT = 1e-3  # of the largest score: float32's rounding, of products over a thousand features
MOST, LARGE = 8, 1_000_000  # normalised arrays that are kept until the iteration is over, and their elements


class Cosines:
    """In iterations that are watched closely."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._units: list[np.ndarray] = []

    def wrap(self, wrappers: Wrappers) -> None:
        wrappers.function(self._scene.framework.functional, "normalize", self._normalize)

    def _normalize(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        result = original(*args, **kwargs)
        if self._scene.current.close and len(result.shape) == 2 and np.prod(result.shape) <= LARGE:
            self._units = [*self._units, self._scene.framework.values(result).astype(np.float64)][-MOST:]
        return result

    def note_scores(self, scores: Any, site: Site | None) -> None:
        """What a cross entropy was given: the factor of its cosines, if it is made of such."""
        framework = self._scene.framework
        if not self._units or len(scores.shape) != 2:
            return
        given = framework.values(scores).astype(np.float64)
        for one in self._units:
            for other in self._units:
                if (len(one), len(other)) != given.shape or one.shape[1] != other.shape[1]:
                    continue
                cosines = one @ other.T
                factor = float((given * cosines).sum() / np.square(cosines).sum())
                if np.abs(given - factor * cosines).max() <= EXACT * np.abs(given).max():
                    self._scene.current.cosines.append((factor, given.shape[1], site))
                    return

    def end(self) -> None:
        self._units.clear()

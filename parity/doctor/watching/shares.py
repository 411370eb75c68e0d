"""What the parts of a loss get of its gradient: classes of the targets, and reductions over the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from parity.doctor.record import ClassGradient, Reduction
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers
from parity.trace.source import Site


class Shares:
    """In iterations that are watched closely. A hook dies with the graph, and holds numbers only."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        for owner in (framework.tensor_class, framework.root):
            for name in ("sum", "mean"):
                wrappers.function(owner, name, self._reduce)

    def _reduce(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        result = original(*args, **kwargs)
        if self._scene.current.close and args and not self._scene.in_step:
            self.note_reduction(original.__name__, args[0], result)
        return result

    def note_reduction(self, kind: str, given: Any, result: Any) -> None:
        """Of all elements of a tensor to one number: kind "sum" or "mean"."""
        scene, framework = self._scene, self._scene.framework
        if not (framework.is_tensor(given) and framework.is_tensor(result) and framework.requires_grad(result)):
            return
        shape = tuple(given.shape)
        count = int(np.prod(shape))
        site = scene.site()
        if count < 2 or int(np.prod(tuple(result.shape))) != 1 or site is None:
            return
        reduction = Reduction(kind, site, count, shape[0], float(framework.values(result).ravel()[0]))
        scene.current.reductions.append(reduction)

        def observe(gradient: Any) -> None:
            with suppress(Exception):  # raised here, it would be the program's
                reduction.backward = scene.backward
                reduction.weight = float(framework.values(gradient).ravel()[0])

        framework.on_gradient(result, observe)

    def note_classes(self, given: Any, target: Any, axis: int, site: Site | None) -> None:
        """What a loss over classes was given, and whole-numbered targets: which classes get a gradient."""
        framework = self._scene.framework
        if not (framework.is_tensor(given) and framework.is_tensor(target) and framework.requires_grad(given)):
            return
        labels, shape = framework.values(target), tuple(given.shape)
        rest = [length for number, length in enumerate(shape) if number != axis % len(shape)]
        if labels.dtype.kind != "i" or labels.size != int(np.prod(rest)):
            return
        wanted = labels.reshape(rest).copy()
        self._observe(given, wanted, lambda gradient: (gradient != 0).any(axis % len(shape)),
                      ClassGradient(site, shape[axis], padded=_padded(wanted)))

    def note_pair(self, score: Any, label: Any, site: Site) -> None:
        """A statement that holds one score for each example against a label of two values, and reads nothing else."""
        framework = self._scene.framework
        labels, scores = framework.values(label), framework.values(score)
        if labels.shape != scores.shape or scores.dtype.kind != "f" or not labels.ndim or not labels.size == len(labels) > 0:
            return
        if len(np.unique(labels)) == 2 and scores.min() < 0 < scores.max():
            self._observe(score, labels.reshape(-1).copy(), lambda gradient: gradient.reshape(-1) != 0, ClassGradient(site, 0))

    def _observe(self, tensor: Any, labels: np.ndarray, alive: Callable[[np.ndarray], np.ndarray], seen: ClassGradient) -> None:
        framework = self._scene.framework
        self._scene.current.class_gradients.append(seen)

        def observe(gradient: Any) -> None:
            with suppress(Exception):
                told = alive(framework.values(gradient))
                seen.rows = {float(label): (int((labels == label).sum()), int(told[labels == label].sum()))
                             for label in np.unique(labels)[:MOST]}

        framework.on_gradient(tensor, observe)


MOST = 1000  # classes that are counted


def _padded(labels: np.ndarray) -> tuple[float, ...]:
    """Classes that fill the rows of the targets up at their end, or at their beginning: they stand for nothing."""
    if labels.ndim != 2:
        return _filled(labels)
    found: Sequence[float] = [float(label) for label in (labels[0, -1], labels[0, 0])]
    return tuple(label for label in found if _ends(labels == label) or _ends((labels == label)[:, ::-1]))


ROWS = 8  # of flattened targets, at least: fewer may look like rows by chance


def _filled(labels: np.ndarray) -> tuple[float, ...]:
    """Of rows that were flattened, each with one end in it: the class behind the ends, where it is one and the same."""
    found, counts = np.unique(labels, return_counts=True)
    for label, count in zip(found[:MOST], counts[:MOST], strict=True):
        if count < ROWS or labels.size % count or labels.size == count:
            continue
        rows = labels.reshape(count, -1)
        ends = rows == label
        behind = rows[(np.cumsum(ends, 1) - ends).astype(bool)]
        if (ends.sum(1) == 1).all() and behind.size >= ROWS and (behind == behind[0]).all():
            return (float(behind[0]),)
    return ()


def _ends(told: np.ndarray) -> bool:
    """Whether all that is told in each row stands at its end."""
    return bool((np.diff(told.astype(np.int8), axis=1) >= 0).all())

"""Numbers that go into networks and layers and come out: are they finite, are they alive, do they vary?"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from parity.doctor.arrays import is_finite, spread
from parity.doctor.record import Activation, Batch, Iteration, NonFinite
from parity.doctor.watching.scene import Scene
from parity.numbers.arrays import digest

FLAT = {"Tanh": 0.99, "Sigmoid": 0.99}  # |tanh| above it, or |2 sigmoid - 1|: the slope is below 0.02 (0.005)
IN_TURN = 8  # between close iterations, one layer in so many is looked at: what stays NaN is seen within as many iterations
RECTIFIERS = ("ReLU", "ReLU6")
RECURRENT = ("LSTM", "GRU", "RNN", "SimpleRNN")


_NOTHING = (lambda: None), False


def _cancels_scale(kind: str, training: bool, bias: bool) -> bool:
    """Whether a norm behind a linear layer makes the scale of the layer's input mean nothing, for its output and all gradients:
    over a channel's own values it takes a bias away as well, over several channels it does not."""
    if "BatchNorm" in kind:
        return training
    return "InstanceNorm" in kind or (not bias and kind in ("GroupNorm", "LayerNorm"))


class Layers:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._turn = 0
        self._fed: dict[tuple[str, int], Any] = {}  # weak references to what networks were fed in the iteration before
        self._feeding: dict[tuple[str, int], Any] = {}
        self._features: dict[str, list[np.ndarray]] = {}
        self._first: tuple[Callable[[], Any], bool] = _NOTHING  # what the first layer gave, and whether it has a bias

    def begin(self) -> None:
        self._features.clear()
        self._fed, self._feeding = self._feeding, {}

    def end(self, iteration: Iteration) -> None:
        for path, rows in self._features.items():
            together = np.concatenate(rows).astype(np.float64)
            if len(together) > 1 and np.isfinite(together).all():
                iteration.features[path] = (float(together.std(0).mean()), float(np.sqrt((together**2).mean())), len(together))

    def note_batch(self, network: str, args: tuple, kwargs: dict, training: bool) -> None:
        """What a network is given from outside."""
        scene, framework, call = self._scene, self._scene.framework, self._scene.tick()
        for _, tensor in framework.tensors_in([*args, *kwargs.values()]):
            if framework.requires_grad(tensor):
                continue
            array = framework.values(tensor)
            if not array.size:
                continue
            floating = array.dtype.kind == "f" and is_finite(array)
            low, high, mean = (array.min(), array.max(), array.mean()) if floating else (0, 0, 0)
            same = _alike(array)
            site = (scene.binding(tensor) if same else None) or scene.site()
            place = network, len(scene.current.batches)
            before, self._feeding[place] = self._fed.get(place), weakref.ref(tensor)
            scene.current.batches.append(Batch(network, digest(array), tuple(array.shape), float(low), float(high), float(mean),
                                               site, training, call, before is not None and before() is tensor, same,
                                               float(np.sqrt(np.square(array, dtype=np.float64).mean())) if floating else 0.0,
                                               _twin(array), _rows(array)))
            if array.dtype.kind == "f" and not floating:
                scene.current.nonfinite.append(NonFinite(scene.tick(), f"the input of {network}", bool(np.isnan(array).any()),
                                                         site, True))

    def note(self, path: str, module: Any, inputs: tuple, outputs: list[Any]) -> None:
        """A call of a layer; between close iterations, of one in `IN_TURN`."""
        self._turn += 1
        iteration = self._scene.current
        if iteration.close or self._turn % IN_TURN == iteration.number % IN_TURN:
            self._note_outputs(path, module, inputs, outputs)

    def _note_outputs(self, path: str, module: Any, inputs: tuple, outputs: list[Any]) -> None:
        """Numbers of a layer's output: finite? dead, saturated? And of a classifier's input: does it vary?"""
        scene, framework, kind = self._scene, self._scene.framework, type(module).__name__
        iteration = scene.current
        for tensor in outputs:
            array = framework.values(tensor)
            iteration.half |= iteration.close and framework.shape_dtype(tensor)[1] == "float16"
            finite = is_finite(array)
            scene.lines.checked = weakref.ref(tensor), finite
            if not finite:
                before = all(is_finite(framework.values(value)) for value in inputs if framework.is_tensor(value))
                site = scene.site()
                weights = all(is_finite(framework.values(p)) for p in framework.parameters(module).values())
                iteration.nonfinite.append(NonFinite(scene.tick(), path, bool(np.isnan(array).any()), site, before and weights))
            elif iteration.close and array.size and (kind in RECTIFIERS or kind in FLAT):
                _count(iteration.activations.setdefault(path, Activation(kind=kind)), kind, spread(array))
        if iteration.close and inputs and framework.is_tensor(inputs[0]):
            if kind == "Embedding" and (padding := framework.padding_of(module)) is not None:
                iteration.padded.append((path, padding, *_inside(framework.values(inputs[0]), padding)))
            self._note_input(path, module, inputs[0], outputs)

    def note_fed(self, path: str, module: Any, given: list[Any]) -> None:
        """Of a recurrent layer, closely: was it given a state, and something as input?"""
        current = self._scene.current
        if not (current.close and type(module).__name__.startswith(RECURRENT) and given):
            return
        lacks = "state" if len(given) == 1 else "" if self._scene.framework.values(given[0]).any() else "input"
        before, site = current.unfed.get(path) or (lacks, self._scene.site())
        current.unfed[path] = (lacks if lacks == before else "", site)

    def _note_input(self, path: str, module: Any, given: Any, outputs: list[Any]) -> None:
        """The size of what a network's first layer with weights is given, and the features that a classifier goes by."""
        scene, framework, kind = self._scene, self._scene.framework, type(module).__name__
        network = scene.program.network_of(path)
        if _cancels_scale(kind, module.training, self._first[1]) and self._first[0]() is given:
            scene.current.normed.add(network)
        first = network not in scene.current.first_inputs and bool(framework.parameters(module))
        if not first and kind != "Linear":
            return
        array = framework.values(given)
        if first and array.dtype.kind == "f" and array.size:
            scene.current.first_inputs[network] = 0.0 if "norm" in kind.lower() else float(np.abs(array).max())
            bias = getattr(module, "bias", None) is not None
            self._first = (weakref.ref(outputs[0]), bias) if outputs and ("Conv" in kind or kind == "Linear") else _NOTHING
        if kind == "Linear":
            width = framework.shape_dtype(outputs[0])[0][-1] if outputs else 0
            if array.ndim == 2 and width * 2 <= array.shape[1]:  # a head: it concludes more than it carries on
                self._features.setdefault(path, []).append(array.astype(np.float64))
                scene.current.modules[path].site = scene.site()


def _inside(ids: np.ndarray, padding: int) -> tuple[int, int]:
    """(rows that hold the padding between two other ids, rows)."""
    if ids.ndim != 2:
        return 0, 0
    words = ids != padding
    before, after = np.logical_or.accumulate(words, 1), np.logical_or.accumulate(words[:, ::-1], 1)[:, ::-1]
    return int((~words & before & after).any(1).sum()), len(ids)


def _rows(array: np.ndarray) -> tuple[float, float, int]:
    """Of the means of a batch's rows: their mean, their variance, their number."""
    if not array.ndim or array.dtype.kind not in "fiu":
        return 0.0, 0.0, 0
    means = array.reshape(len(array), -1).mean(1, dtype=np.float64)
    return float(means.mean()), float(means.var()), len(means)


FEW = 4  # rows: fewer may be the same by chance


def _twin(array: np.ndarray) -> bool:
    """Whether the second half of a batch is the first half again."""
    half = len(array) // 2 if array.ndim > 1 else 0
    return half >= FEW // 2 and len(array) == 2 * half and np.array_equal(array[:half], array[half:]) and bool(
        (array[:half] != array[:1]).any())


def _alike(array: np.ndarray) -> str:
    """Whether the rows of a batch are all the same: zeros, a constant, or one row again and again."""
    if array.ndim < 2 or len(array) < FEW or not (array == array[:1]).all():
        return ""
    return "rows" if (array != array.flat[0]).any() else "constant" if array.flat[0] else "zero"


def _count(seen: Activation, kind: str, array: np.ndarray) -> None:
    seen.size += array.size
    if kind in RECTIFIERS:
        seen.zeros += array.size - int(np.count_nonzero(array))
    else:
        centred = array if kind == "Tanh" else 2 * array - 1
        seen.flat += int(np.count_nonzero(np.abs(centred) > FLAT[kind]))

"""Running one side of a subject under a recorder: forwards, then one backward from given output gradients."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from parity.blame import hand_on
from parity.frameworks import Framework
from parity.numbers.arrays import rounds
from parity.trace.events import Replayed
from parity.trace.recorder import Recorder

Probe = Callable[[int, tuple[int, ...]], np.ndarray]
Arrange = Callable[[Sequence[Any]], tuple[tuple, dict]]
"""Input tensors in order -> the positional and keyword arguments of a call."""


def positional(tensors: Sequence[Any]) -> tuple[tuple, dict]:
    return tuple(tensors), {}


def forward(framework: Framework, model: Any, inputs: Sequence[np.ndarray], recorder: Recorder, *, calls: int,
            device: str, arrange: Arrange = positional) -> list[Any]:
    """`calls` forwards in a row on the same inputs; returns all output tensors. Buffers are recorded after each."""
    outputs: list[Any] = []
    for _ in range(calls):
        tensors = [framework.tensor(array, requires_grad=rounds(array.dtype), device=device) for array in inputs]
        # Not the leaves themselves: a module may write its input in place, which a leaf forbids.
        given = [framework.clone(tensor) for tensor in tensors]
        recorder.borders.inputs = {id(tensor): f"[{number}]" for number, tensor in enumerate(given)}
        arguments, keywords = arrange(given)
        with framework.with_gradients(model):
            result = hand_on(model, *arguments, **keywords)
        names = recorder.borders.results
        named = [(names.get(place, place), tensor) for place, tensor in framework.tensors_in(result, objects=True)]
        outputs += [tensor for _, tensor in sorted(named, key=_by_name)]
        recorder.snapshot_buffers()
    return outputs


def _by_name(part: tuple[str, Any]) -> list[tuple[int, int | str]]:
    """The order of a dict's keys means nothing: what probes the outputs goes by their names, and by number in a list."""
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in re.findall(r"\d+|\D+", part[0])]


def forward_backward(framework: Framework, model: Any, inputs: Sequence[np.ndarray], probe: Probe,
                     recorder: Recorder, *, calls: int = 1, device: str = "cpu", backward: bool = True,
                     arrange: Arrange = positional) -> None:
    """A free run: every value is the program's own.

    inputs: arrays, which `arrange` makes arguments of. probe: (number of the output, shape) -> the gradient that backward
    starts from, that of sum(output * probe).
    """
    parameters = list(framework.parameters(model).values())
    framework.clear_gradients(parameters)
    recorder.watch(model)
    with recorder.recording():
        outputs = forward(framework, model, inputs, recorder, calls=calls, device=device,
                          arrange=arrange)
        if backward:
            ends = [(output, _probed(probe, number, *framework.shape_dtype(output))) for number, output in enumerate(outputs)
                    if framework.requires_grad(output)]
            _backward(framework, ends, device)
            recorder.snapshot_gradients()
    framework.clear_gradients(parameters)


def _probed(probe: Probe, number: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Both parts of a complex output have a gradient."""
    if not dtype.startswith("complex"):
        return probe(number, shape)
    parts = probe(number, (*shape, 2))
    return parts[..., 0] + 1j * parts[..., 1]


def replay(framework: Framework, model: Any, inputs: Sequence[np.ndarray], recorder: Recorder,
           values: Replayed, *, calls: int = 1, device: str = "cpu", arrange: Arrange = positional) -> None:
    """A replay: the graph is cut at every module's output, and the reference's values go on from there.

    Each piece then gets the reference's gradient at its end, in one backward, so that no error travels beyond the
    piece that made it. `values` are the reference's, as the recorder was given them to cut with.
    """
    parameters = list(framework.parameters(model).values())
    framework.clear_gradients(parameters)
    recorder.watch(model)
    with recorder.recording():
        forward(framework, model, inputs, recorder, calls=calls, device=device, arrange=arrange)
        _backward(framework, _cut_ends(framework, recorder, values), device)
        recorder.snapshot_gradients()
    framework.clear_gradients(parameters)


def _cut_ends(framework: Framework, recorder: Recorder, values: Replayed) -> Iterator[tuple[Any, np.ndarray]]:
    for tensor, key in recorder.cuts:
        shape, dtype = framework.shape_dtype(tensor)
        end = key._replace(stage="gradients")
        gradient = values.value(end, dtype) if end in values else None
        if gradient is not None and gradient.shape == shape:  # another shape has been found in the forward already
            yield tensor, gradient


def _backward(framework: Framework, ends: Iterable[tuple[Any, np.ndarray]], device: str) -> None:
    together: dict[int, tuple[Any, Any]] = {}
    for tensor, array in ends:  # one at a time: together they are as large as all that a replay goes on with
        gradient, known = framework.tensor(array, device=device), together.get(id(tensor))
        # One tensor may be returned twice, under two names.
        together[id(tensor)] = tensor, gradient if known is None else known[1] + gradient
    if together:
        framework.backward(*map(list, zip(*together.values(), strict=True)))

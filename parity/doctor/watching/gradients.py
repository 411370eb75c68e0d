"""Backwards, and what each parameter's gradient holds of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from parity.doctor.arrays import checksum, pulse
from parity.doctor.record import Backward
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers

Pulses = dict[str, float | None]
"""Parameter -> sum of squares of its gradient; None: it has none."""


FEW = 16  # elements: more are no weights of terms
EXACT = 1e-5  # relative: float32's rounding, over a hundred operations


@dataclass
class Gradient:
    """What is known of one parameter's gradient: its pulse, and the ticks of the backwards that are in it; a checksum of the
    parameter itself, as the latest of them left it."""

    pulse: float | None = None
    made: list[int] = field(default_factory=list)
    mark: int | None = None


class Gradients:
    """backwards: how many there were."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.backwards = 0
        self._known: dict[str, Gradient] = {}
        self._steps: list[tuple[int, str]] = []  # (tick, optimizer)
        self._served: dict[int, set[str | None]] = {}  # backward -> optimizers of what it gave a gradient, where watched closely
        self._in_backward = False

    def wrap(self, wrappers: Wrappers) -> None:
        for owner, name in self._scene.framework.backward_functions:
            wrappers.function(owner, name, self._backward)

    def known(self, name: str) -> Gradient:
        return self._known.get(name, Gradient())

    def forget(self) -> None:
        """What comes next is not watched closely."""
        self._known.clear()

    def stepped(self, tick: int, optimizer: str) -> None:
        self._steps.append((tick, optimizer))

    def pulses(self, parameters: dict[str, Any] | None = None) -> Pulses:
        """Of these parameters (without any: of all)."""
        framework = self._scene.framework
        wanted = self._scene.program.parameters if parameters is None else parameters
        gradients = {name: framework.gradient(p) for name, p in wanted.items() if framework.requires_grad(p)}
        with np.errstate(all="ignore"):
            return {name: None if gradient is None else pulse(framework.values(gradient)) for name, gradient in gradients.items()}

    def look_for_clearing(self, pulses: Pulses, unused: bool = False) -> None:
        """unused: at a backward, where what was cleared without any step since has served nobody."""
        stepped = self._steps[-1][0] if self._steps else 0
        thrown = []
        for name, value in pulses.items():
            known = self._known.setdefault(name, Gradient())
            if not value:
                if unused and known.pulse and known.made and known.made[-1] > stepped:
                    thrown.append((name, known.mark))
                known.made.clear()
            known.pulse = value
        if not any(self._moved(name, mark) for name, mark in thrown):
            self._scene.current.discarded += [name for name, _ in thrown]

    def _is_scale(self, name: str, loss: float) -> bool:
        """Whether the gradient is the one of a factor of the whole loss: of exp(-s) the sum is -loss, of exp(-2 s) and of 1 / s^2,
        there times s, -2 loss."""
        framework, parameter = self._scene.framework, self._scene.program.parameters[name]
        if not loss or int(np.prod(framework.shape_dtype(parameter)[0])) > FEW:
            return False
        gradient = framework.values(framework.gradient(parameter)).astype(np.float64)
        slopes = float(gradient.sum()), float((gradient * framework.values(parameter)).sum())
        return any(math.isclose(slope, -power * loss, rel_tol=EXACT) for slope in slopes for power in (1, 2))

    def _moved(self, name: str, mark: int | None) -> bool:
        """Whether the program has moved the parameter since, by the gradient then (SAM climbs before it steps)."""
        return mark is not None and checksum(self._scene.framework.values(self._scene.program.parameters[name])) != mark

    def mixed(self, made: list[int], optimizer: str) -> str | None:
        """Whether a step by one of the backwards that are in a gradient lies between them: then it is no accumulation."""
        if len(made) < 2:
            return None
        between = [(tick, name) for tick, name in self._steps if made[0] < tick < made[-1]]
        if any(name == optimizer for _, name in between):
            return "step"
        return "loss" if any(made_at < tick and name in self._served.get(made_at, ())
                             for made_at in made[:-1] for tick, name in between) else None

    def _backward(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        if self._in_backward:
            return original(*args, **kwargs)
        scene = self._scene
        scene.work_begins()
        if scene.current is None:  # enough was watched
            return original(*args, **kwargs)
        framework, program = scene.framework, scene.program
        given = args[0] if args else next(iter(kwargs.values()))
        losses = [tensor for _, tensor in framework.tensors_in(given)]
        values = [float(array.sum()) for array in map(framework.values, losses) if array.size == 1]
        function = next((f.f_code.co_name for f in _stack(sys._getframe(1)) if f.f_code.co_filename in program.source), "")
        close = scene.current.close
        before = self.pulses() if close else {}
        self.look_for_clearing(before, unused=not scene.in_step)
        tick = scene.tick()
        record = Backward(tick, scene.site(), values, any(map(framework.requires_grad, losses)), function,
                          within=scene.in_step)
        scene.current.backwards.append(record)
        self._in_backward, scene.backward = True, tick
        try:
            result = original(*args, **kwargs)
        finally:
            self._in_backward, scene.backward = False, None
        self.backwards += 1
        self._served[tick] = served = set()
        for name, value in self.pulses().items() if close else ():
            known = self._known.setdefault(name, Gradient())
            if value != before.get(name) or (value is not None and np.isnan(value)):
                known.made.append(tick)
                known.mark = checksum(framework.values(program.parameters[name]))
                record.touched.add(name)
                served.add(program.holder_of(name))
            known.pulse = value
        if close and len(values) == 1:
            scene.current.scaled += [(tick, name) for name in record.touched
                                     if not before.get(name) and self._is_scale(name, values[0])]
        for network in sorted({program.network_of(name) for name in record.touched}):
            changed, changed_at = scene.last_change.get(network, (0, None))
            if changed > scene.last_forward.get(network, tick):
                scene.current.stale.append((network, changed_at))
        return result


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back

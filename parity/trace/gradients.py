"""Gradients: of each value as backward comes to it, and of each parameter when backward has ended."""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from parity.trace.arrivals import Arrivals
from parity.trace.events import Event
from parity.trace.magnitudes import rounding_of_a_sum
from parity.trace.side import Run, Side

if TYPE_CHECKING:
    from parity.trace.recorder import Recorder


class Gradients:
    """Emits them through its recorder."""

    def __init__(self, recorder: Recorder, side: Side, run: Run) -> None:
        self._recorder, self._side, self._run, self._framework = recorder, side, run, side.framework
        self._arrivals = Arrivals()
        self._leaves: list[tuple[Any, Callable[[Any], None]]] = []  # that are no parameters, with what observes their gradients
        self._parameters: dict[str, Any] = {}
        self._finished: dict[str, int] = {}  # parameter -> its place in the order in which backward finished them
        self._released: set[str] = set()  # parameters

    def follow(self, name: str, parameter: Any) -> list[Callable[[], None]]:
        """Of a parameter; returns the removers of what follows it."""
        self._parameters[name] = parameter
        if not self._run.gradients or not self._framework.requires_grad(parameter):
            return []
        removers = [self._framework.on_gradient(parameter, self._note_order(name))]
        if self._run.release:
            removers.append(self._framework.on_accumulated(parameter, self.releaser(name)))
        return removers

    def await_at(self, tensor: Any, original: Any, keys: list[tuple]) -> None:
        """Of a value with these names; more may be added later. original: where it comes to, a spliced value's own tensor."""
        observe = self.observer(keys)
        self._framework.on_gradient(original, observe)
        if tensor.is_leaf:
            self._leaves.append((tensor, observe))

    def end(self) -> None:
        """No more will come."""
        for event in self._arrivals.left():
            self._recorder.send(event)

    def clear(self) -> None:
        self._leaves.clear()

    def snapshot(self, clipped: Mapping[str, Any] | None = None, *, splice: bool = True) -> None:
        """Emit the gradient of every watched parameter as it is now, in the order backward finished them.

        clipped: name -> what the optimizer's step will use in place of it. splice: in a replay, go on with the reference's.
        """
        names = sorted((name for name in self._parameters if name not in self._released),
                       key=lambda name: self._finished.get(name, sys.maxsize))
        for name in names:
            parameter = self._parameters[name]
            gradient = (clipped or {}).get(name, self._framework.gradient(parameter))
            array = None if gradient is None else self._framework.array(gradient, copy=self._recorder.keeps)
            substitute = self._recorder.emit_entry("gradients", name, array, self._finished.get(name))
            if splice and self._run.splice and substitute is not None and gradient is not None:
                self._framework.set_gradient(parameter, self._side.back(name, substitute))
        self._finished.clear()
        self._released.clear()

    def observer(self, keys: list[tuple]) -> Callable[[Any], None]:
        # The graph holds its hooks; a hook that held the recorder would hold the model and, where a model keeps a tensor of the
        # graph (a view of a parameter), all of it for ever: torch cannot collect a cycle that runs through its graph.
        own = weakref.ref(self)

        def observe(gradient: Any) -> None:
            self = own()
            if gradient is None or self is None:  # torch: one of several results of an operation, nothing depends on it
                return
            array = self._framework.array(gradient, copy=self._recorder.keeps)
            scale = self._recorder.magnitudes.of(array)
            # One gradient under several names: that of a layer's input is the output gradient of the layer before.
            entered = scale * max(rounding_of_a_sum(key[-1]) for key in keys)
            events = []
            for key, site, built, called, spread, _ in keys:
                self._recorder.magnitudes.gradient_arrived(key, array, scale)
                events.append(Event(key._replace(stage="gradients"), self._recorder.place(), site, array, built, called,
                                    max(scale, entered), scale * math.sqrt(spread), scale if self._run.measure else None))
            for event in self._arrivals.arrived(observe, events):
                self._recorder.send(event)

        return observe

    def arrived_at_leaf(self, leaf: Any, gradient: Any) -> None:
        """What `grad` returns of a leaf is its gradient, also where the framework calls no hook."""
        for tensor, observe in self._leaves:
            if tensor is leaf:
                observe(gradient)

    def releaser(self, name: str) -> Callable[[], None]:
        own = weakref.ref(self)  # as above

        def release() -> None:
            self = own()
            if self is not None:
                parameter = self._parameters[name]
                array = self._framework.array(self._framework.gradient(parameter), copy=self._recorder.keeps)
                self._recorder.emit_entry("gradients", name, array, self._finished.get(name))
                self._framework.clear_gradient(parameter)
                self._released.add(name)

        return release

    def _note_order(self, name: str) -> Callable[[Any], None]:
        def note(gradient: Any) -> None:
            self._finished[name] = self._recorder.place()

        return note

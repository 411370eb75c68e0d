"""Watching optimizers: gradients when backward ends and after clearing, each update, the moments, the settings."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from parity.blame import hand_on
from parity.frameworks import Framework
from parity.numbers.arrays import digest
from parity.trace.events import CLEARED
from parity.trace.recorder import Recorder
from parity.trace.source import SourceTree


@contextmanager
def watching(framework: Framework, recorder: Recorder, source: SourceTree, optimizers: Mapping[str, Any],
             parameters: Mapping[str, Any], *, line_for_line: bool = True,
             begins: Callable[[str, Any], None] = lambda name, optimizer: None) -> Iterator[Written]:
    """Record what the optimizers do while the block runs; their methods are wrapped on the instances, and restored.

    optimizers: name -> optimizer. parameters: full name -> parameter, of all watched models. Before an optimizer's step
    the gradients of *all* parameters are recorded (backward has ended; clipped, where the optimizer clips them itself), and
    its learning rates; after it each parameter's change and moments. After a clearing, the gradients of its parameters.
    Of a step that ends without an update after its backward, the gradients are recorded at its end.
    Yields what tells the parameters that something else has written, too (a clipping; a step aside, and back).

    line_for_line: the other side is written alike. Where it is not, it may clear elsewhere, and its loss may have another name:
    then what backward starts from is recorded, and the gradients that it finds (see `Backwards`), not the clearing.
    begins: called with the name and the optimizer before each of its updates.
    """
    names = {id(parameter): name for name, parameter in parameters.items()}
    restore: list[Callable[[], None]] = []
    written = Written()
    every: dict[str, list[tuple[str, Any]]] = {}  # optimizer -> its parameters, by name

    def look() -> None:
        for held in every.values():
            written.before_an_update({name: framework.array(parameter, copy=False) for name, parameter in held})

    backwards = None if line_for_line else Backwards(framework, recorder, source, parameters, look)

    def wrap(optimizer: Any, method: str, around: Callable) -> None:
        original = getattr(optimizer, method)
        own = vars(optimizer).get(method)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return around(lambda: hand_on(original, *args, **kwargs), source.site(sys._getframe(1)))

        setattr(optimizer, method, wrapped)
        restore.append(lambda: delattr(optimizer, method) if own is None else setattr(optimizer, method, own))

    for optimizer_name, optimizer in optimizers.items():
        held = [(names[id(p)], p) for p in framework.optimizer_parameters(optimizer) if id(p) in names]
        every[optimizer_name] = held
        for name, parameter in held:
            written.by_an_update(name, framework.array(parameter, copy=False))

        def step(proceed, site, optimizer=optimizer, optimizer_name=optimizer_name, held=held):
            if framework.skips(optimizer):  # one framework calls it and does nothing, the other does not call it
                return proceed()
            begins(optimizer_name, optimizer)
            if backwards is not None:
                backwards.settle()
            recorder.snapshot_gradients({names[id(p)]: gradient for p, gradient in framework.clipped_gradients(optimizer)
                                         if id(p) in names})
            rates = learning_rates(framework, optimizer)
            recorder.emit_array("update", f"{optimizer_name}.lr", rates, site=site, scale=float(np.abs(rates).max()), entry=False)
            before = {name: framework.array(parameter, copy=True) for name, parameter in held}
            look()
            result = proceed()
            framework.updated(optimizer)
            for name, parameter in held:
                old, new = before[name], framework.array(parameter, copy=True)
                written.by_an_update(name, new)
                # The change is a difference of two numbers that were rounded at the size of the weight itself.
                recorder.emit_array("update", name, new - old, site=site, scale=float(np.linalg.norm(old.ravel())),
                                    norm=True)
                for what, array in framework.optimizer_state(optimizer, parameter).items():
                    largest = float(np.abs(array).max()) if array.size else 0.0
                    recorder.emit_array("update", name, array, site=site, suffix=f".{what}", scale=largest)
            return result

        def clear(proceed, site, held=held):
            result = proceed()
            for name, parameter in held:
                gradient = framework.gradient(parameter)
                array = None if gradient is None else framework.array(gradient, copy=True)
                recorder.emit_array("gradients", name, array, site=site, suffix=CLEARED)
            return result

        for method in framework.step_methods:
            wrap(optimizer, method, step)

        def keep(proceed, site, held=held):
            backwards.keep(held)
            return proceed()

        wrap(optimizer, framework.clear_method, clear if backwards is None else keep)
    try:
        with nullcontext() if backwards is None else backwards.watching():
            yield written
        if backwards is not None and backwards.open:  # a step that gathers gradients, and leaves the update to a later one
            left = backwards.cleared
            backwards.settle()
            recorder.snapshot_gradients(left, splice=False)
    finally:
        for undo in reversed(restore):
            undo()


class Written:
    """Which parameters of optimizers are written by anything but their updates, during one step."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}  # name -> checksum, as the latest update left it, or the step found it
        self._aside: set[str] = set()

    def by_an_update(self, name: str, array: np.ndarray) -> None:
        self._left[name] = digest(array)

    def before_an_update(self, arrays: Mapping[str, np.ndarray]) -> None:
        """What an optimizer's parameters are now. Where one has been written, all are told of: a step aside and back leaves some of
        them as they were, to the bit, and on one side others than on the other."""
        if any(self._left[name] != digest(array) for name, array in arrays.items() if name in self._left):
            self._aside.update(arrays)

    def by_others(self, name: str, array: np.ndarray) -> bool:
        """Whether anything but an update has written a parameter, which now is this. False for those of no optimizer."""
        return name in self._aside or (name in self._left and self._left[name] != digest(array))


def learning_rates(framework: Framework, optimizer: Any) -> np.ndarray:
    """The learning rate of its parameters: one number, or several in ascending order where groups have rates of their own."""
    rates: list[float] = []
    for rate in sorted(lr for _, lr, _ in framework.optimizer_rates(optimizer)):
        if not rates or rate - rates[-1] > 2 * np.finfo(float).eps * abs(rate):  # a rate may be a product of two: one rounding
            rates.append(rate)
    if len(rates) > 1:
        return np.array(rates)
    return np.asarray(rates[0] if rates else framework.optimizer_settings(optimizer)["lr"], np.float64)


class Backwards:
    """What backward starts from, and what it adds to: from one optimizer step to the next (or to the end of a step that has none),
    however often it is called.

    The sum of the losses is recorded (one program adds them up, the other calls backward twice), and the gradients that the
    first call finds: what was not cleared. begins: called before each.
    """

    def __init__(self, framework: Framework, recorder: Recorder, source: SourceTree, parameters: Mapping[str, Any],
                 begins: Callable[[], None]) -> None:
        self._framework, self._recorder, self._source, self._parameters = framework, recorder, source, parameters
        self._begins = begins
        self._depth = 0
        self._begin()

    def _begin(self) -> None:
        self._total, self._largest, self._order, self._site = None, 0.0, 0, None
        self._left: dict[str, np.ndarray | None] = {}
        self.cleared: dict[str, Any] = {}  # the gradients that no update has used, as they were before they were cleared

    @property
    def open(self) -> bool:
        """Whether there was a backward that no optimizer's step has followed."""
        return self._total is not None

    def keep(self, held: Iterable[tuple[str, Any]]) -> None:
        """Gradients of these parameters are about to be cleared: one program does so after its backward, one before the next."""
        for name, parameter in held if self.open else ():
            gradient = self._framework.gradient(parameter)
            if gradient is not None and name not in self.cleared:
                self.cleared[name] = self._framework.copied(gradient)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Its calls are seen for the duration of the block."""
        restore = []
        for owner, name in self._framework.backward_functions:
            restore.append((owner, name, getattr(owner, name)))
            setattr(owner, name, self._seen(getattr(owner, name)))
        try:
            yield
        finally:
            for owner, name, original in reversed(restore):
                setattr(owner, name, original)

    def _seen(self, original: Callable) -> Callable:
        @functools.wraps(original)
        def backward(*args: Any, **kwargs: Any) -> Any:
            if not self._depth:  # one of them calls the other
                self._begins()
                self._note(self._framework.tensors_in((args[0] if args else kwargs.get("tensors"),)), sys._getframe(1))
            self._depth += 1
            try:
                return hand_on(original, *args, **kwargs)
            finally:
                self._depth -= 1

        return backward

    def _note(self, tensors: Iterator[tuple[str, Any]], frame: Any) -> None:
        if self._total is None:
            self._total, self._order, self._site = 0.0, self._recorder.place(), self._source.site(frame)
            for name, parameter in self._parameters.items():
                gradient = self._framework.gradient(parameter)
                array = None if gradient is None else self._framework.array(gradient, copy=True)
                # One framework clears to zeros, the other to nothing.
                self._left[name] = array if array is not None and array.any() else None
        for _, tensor in tensors:
            value = self._framework.array(tensor, copy=True)
            self._total = self._total + value.sum(dtype=value.dtype)
            self._largest = max(self._largest, float(np.abs(value).max()) if value.size else 0.0)

    def settle(self) -> None:
        """An optimizer's step begins, or the training's ends: record what came before it."""
        if self._total is not None:
            self._recorder.emit_array("losses", "backward", np.asarray(self._total), site=self._site, scale=self._largest,
                                      entry=False, order=self._order)
            for name, array in self._left.items():
                scale = 0.0 if array is None else float(np.abs(array).max())
                self._recorder.emit_array("gradients", name, array, site=self._site, suffix=" (before backward)", scale=scale,
                                          order=self._order)
        self._begin()

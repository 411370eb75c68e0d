"""Recording a run: every module call, every local variable a line binds, every gradient, in execution order.

A `Recorder` watches models (through hooks) and source files (through `sys.settrace`, limited to the code objects of the
user's files) while a program runs, and hands one `Event` after the other to a *sink*. In-place operations overwrite what
an earlier line bound, so a value is taken at the moment of its event; a sink compares it at once or keeps a copy.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.frameworks import host_random
from parity.frameworks.lowering import PRODUCTS, Asked, Lowered
from parity.numbers.arrays import digest, largest_magnitude
from parity.numbers.distributions import Drawn, Numbers
from parity.trace.borders import Borders
from parity.trace.events import AUTOCAST, IN_FULL, IN_HALF, OPERATION, REDUCED, Event, Key, Sink
from parity.trace.gradients import Gradients
from parity.trace.lines import Call, Function, Lines
from parity.trace.magnitudes import Magnitudes, Size
from parity.trace.randomness import Redrawn
from parity.trace.side import Run, Side
from parity.trace.source import Site, called_inside


@dataclass(slots=True)
class Snapshot:
    """A tensor's values at one moment, and the keys under which this very tensor has been seen. digest: of the values: the array
    may be the program's own memory, and of what is written through torch's `.data`, an alias in numpy or Paddle's `set_value` no
    version tells."""

    tensor: Any
    version: int
    array: np.ndarray
    largest: float
    digest: int = field(init=False)
    keys: list[tuple] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.digest = digest(self.array)


class Recorder:
    """Records one run of one program; `watch` its models, then run it within `recording()`.

    phase, stage: where the values that come now stand. call: the innermost module call in progress. cuts: of a replay, the tensors
    at which the graph was cut, with the keys of what goes on from there. borders: of its modules (`Borders`). keeps: whether the
    sink keeps arrays, so that they must be copies.
    """

    RECENT = 6  # tensors whose last snapshot is reused when the next line or module border shows the same value

    def __init__(self, side: Side, sink: Sink, run: Run | None = None) -> None:
        self._thread = threading.get_ident()
        self.framework = side.framework
        self._side, self._sink, self._run = side, sink, run or Run()
        self.keeps = sink.keeps
        self.phase, self.stage = None, self._run.stage
        self.magnitudes = Magnitudes(side.framework, side.source, self._run.measure)
        self.borders = Borders(self, side, self._run)
        self._gradients = Gradients(self, side, self._run)
        self.cuts: list[tuple[Any, Key]] = []
        self.order = 0  # of the latest value
        self._lines: Lines | None = None
        self._occurrences: defaultdict[Key, int] = defaultdict(int)
        self._recent: list[Snapshot] = []
        self._removers: list[Callable[[], None]] = []
        self._modules: dict[str, Any] = {}
        self._every: list[Any] = []  # module, with a partner or without
        self.parameter_names: dict[int, str] = {}  # by id: a local may *be* a parameter
        self._buffers: list[tuple[str, Any, tuple[str, ...]]] = []  # (prefix, model, names): a tensor may be assigned anew
        self._drawn = Redrawn()
        self._lowered = Lowered(self._turned_on, self._in_half)
        self._asked: set[tuple] = set()  # what has been told of precisions
        self._passed_over: set[int] = set()  # modules without a partner, by id

    # --- what to watch -------------------------------------------------------------------------------------

    def watch(self, model: Any, name: str | None = None, paths: Mapping[str, str] | None = None) -> None:
        """Follow a model's modules, and its parameters' gradients; `name` and `paths` are the recorder's, or this model's."""
        framework, name = self.framework, self._side.name if name is None else name
        paths = self._side.paths if paths is None else paths
        for own, module in framework.modules(model):
            self._every.append(module)
            path = own if paths is None else paths.get(own)
            if path is None:
                self._passed_over.add(id(module))
                self._removers.append(framework.after_forward(module, self.borders.pass_on))
                continue
            path = ".".join(filter(None, (name, path)))
            self._modules[path] = module
            self._removers.append(framework.before_forward(module, self.borders.before(path)))
            self._removers.append(framework.after_forward(module, self.borders.after))
        prefix = f"{name}." if name else ""
        for parameter_name, parameter in framework.parameters(model).items():
            self.parameter_names[id(parameter)] = prefix + parameter_name
            self._removers += self._gradients.follow(prefix + parameter_name, parameter)
        self._buffers.append((prefix, model, tuple(framework.buffers(model))))

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Follow lines for the duration of the block; afterwards all hooks are gone."""
        before, self._thread = sys.gettrace(), threading.get_ident()
        watching = (self.framework.operations(self._operation, self._side.source, self._every) if self._run.operations
                    else nullcontext())
        lifted = self._run.lifted
        try:
            with (watching, self._drawing(), self.framework.lifting(lifted) if lifted else nullcontext(),
                  self.framework.uncompiled(), self.framework.right_in_float64(),
                  self.framework.unhooked(self._gradients.arrived_at_leaf),
                  self.framework.lowering(self._lowered, on_cpu=self._run.device == "cpu")):
                if self._run.lines:
                    self._lines = Lines(self, self._side.source, self._side.phases)
                    sys.settrace(self._lines.follow)
                yield self
            self._gradients.end()
            self._sink.apart.update(self.borders.apart())
        finally:
            sys.settrace(before)
            self._lines = None  # it holds the recorder
            for remove in self._removers:
                remove()
            self._removers.clear()
            self._recent.clear()
            self._gradients.clear()
            self.borders.clear()
            self.cuts.clear()

    def snapshot_gradients(self, clipped: Mapping[str, Any] | None = None, *, splice: bool = True) -> None:
        """Emit the gradient of every watched parameter; see `Gradients.snapshot`."""
        self._gradients.snapshot(clipped, splice=splice)

    def snapshot_buffers(self) -> None:
        """Emit every watched buffer as it is now (stage "state"), in the order in which their modules ran."""
        held = {prefix + name: buffers[name] for prefix, model, names in self._buffers
                for buffers in [self.framework.buffers(model)] for name in names if name in buffers}
        held |= {prefix + name: parameter for prefix, model, _ in self._buffers if self._side.kept
                 for name, parameter in self.framework.parameters(model).items() if prefix + name in self._side.kept}
        held |= {name: attributes[attribute] for name, (attributes, attribute, was) in self._side.plain.items()
                 if self.framework.is_tensor(attributes.get(attribute))
                 and not np.array_equal(self.framework.array(attributes[attribute], copy=False), was)}
        for name, buffer in sorted(held.items(), key=lambda item: self.borders.left.get(_owner(item[0]), 0)):
            self.emit_entry("state", name, self.framework.array(buffer, copy=self.keeps), None)

    def emit_array(self, stage: str, name: str, array: np.ndarray | None, *, site: Site | None = None, suffix: str = "",
                   scale: float = 0.0, norm: bool = False, entry: bool = True, order: int | None = None) -> None:
        """Emit a value that a driver read by itself: a parameter's change, a moment, a learning rate.

        name: a parameter's ("genA2B.FC.0.weight", turned into the reference's where `entry`) or any dotted name.
        suffix: of the variable. scale: the largest magnitude that entered. norm: judge by 2-norms, not by the worst element.
        order: a place in the order that was kept for it (`place`).
        """
        seen = self._side.view(name, array) if entry else (name, array)
        if seen is None:
            return
        name, array = seen
        owner, _, variable = name.rpartition(".")
        key = self._key(stage, owner, variable + suffix)
        built = self._side.sites.of(self._modules.get(owner))
        order = self.place() if order is None else order
        self.send(Event(key, order, site or built, array, built, None, scale, scale, None, norm))

    def place(self) -> int:
        """The next place in the order of events, also for a value that is known later."""
        self.order += 1
        return self.order

    def record(self, stage: str, variable: str, tensor: Any, module: str = "") -> None:
        """Emit a value that neither a line nor a module shows (a loss of a driver, a batch)."""
        stage, self.stage = self.stage, stage
        try:
            self.emit(tensor, variable, function="", frame=0, site=self._side.source.site(sys._getframe(1)),
                       call=Call(module, 0, None))
        finally:
            self.stage = stage

    @property
    def asks_for_half(self) -> bool:
        """Whether the program has turned autocast on."""
        return self._lowered.is_asked_for

    def emit_pixels(self, array: np.ndarray, variable: str, function: str, frame: int, site: Site | None,
                    called: Site | None) -> None:
        """Emit a value of the data code that is no tensor: a picture, an array."""
        key = self._key(self.stage, "", variable, function=function, frame=frame)
        largest = largest_magnitude(array)
        self.send(Event(key, self.place(), site, array.copy() if self.keeps else array, None, called,
                         largest, largest, largest))

    def _operation(self, name: str, arguments: tuple, result: Any) -> None:
        """One call of a library function in the user's own code, under the name that both frameworks have for it."""
        if self.is_blind:
            return
        call, source, frame = self.call, self._side.source, sys._getframe(2)
        library = call.module is not None and not source.defines(call.module)
        site = source.site(frame)
        if call.again:
            return
        if library and not source.runs_inside(frame, call.module):
            layer = called_inside(frame, call.module)
            if layer is None:
                return  # inside a library's layer, whose border shows it
            site = self._side.sites.of(layer) or site
        results = list(self.framework.tensors_in(result))
        size = self.magnitudes.of_operation(arguments, [tensor for _, tensor in results])
        for place, tensor in results:
            self.emit(tensor, name + place, function=OPERATION, frame=0, site=site, call=call, size=size)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """The program's random numbers are those of the run."""
        hand = self._run.random
        if hand is None or hand.silent:
            yield
            return
        hand.watch(self._modules.keys())
        side = self._side
        with self.framework.drawing(Numbers(self._draw)), host_random.drawing(
                Numbers(functools.partial(self._draw, on_host=True)), side.held, side.source, self._host_asleep):
            yield
        hand.close()

    def _turned_on(self, asked: Asked) -> None:
        """Emit, once for each, that the program computes under autocast: in float64, which it leaves alone, no value shows it."""
        if not self.framework.recomputing() and not self.is_blind:
            self._tell_precision(self._side.name, 0, AUTOCAST, str(asked))

    def _in_half(self, kind: str, dtype: str | None) -> None:
        """Emit, once for each call around it, that there are products in half precision, or in full, or what should be in full in
        half. Without gradients products in full are a program's (or an optimizer's) own affair."""
        if self.framework.recomputing() or self.is_blind or (dtype is None and not self.framework.grad_enabled()):
            return
        what = {PRODUCTS: IN_HALF if dtype else IN_FULL}.get(kind, REDUCED)
        for call in (*self.borders.calls, self.borders.innermost()):
            self._tell_precision(call.path, call.number, what, dtype or "full")

    def _tell_precision(self, module: str, call: int, variable: str, value: str) -> None:
        known = (self.stage, module, call, variable, value)
        if known not in self._asked:
            self._asked.add(known)
            self.send(Event(self._key(self.stage, module, variable, call=call), self.place(),
                            self._side.source.site(sys._getframe(2)), np.array(value)))

    def _host_asleep(self) -> bool:
        """Whether what python and numpy draw now has no counterpart: a recomputation draws anew there, as no framework puts their
        generators back, and what makes a batch has run before."""
        return self.stage == "data" or self.framework.recomputing()

    def _draw(self, drawn: Drawn, *, on_host: bool = False) -> np.random.Generator:
        """The generator of a draw's numbers. The event that tells of it has the key of its counterpart, and is the same where the
        two agree: a draw may be written in several ways. on_host: python or numpy draw, not the framework."""
        call, source = self.call, self._side.source
        if self.framework.recomputing():
            return self._drawn.again(self.framework.next_numbers(), call.path)
        site = source.site(sys._getframe(1))
        built = self._side.sites.of(call.module) if call.module is not None else None
        if call.module is not None and not source.defines(call.module):
            site = built or site
        met, numbers = self._run.random.take(drawn, tuple((around.path, around.number) for around in self.borders.calls))
        key = met.key if met is not None else self._key(self.stage, call.path, self._run.random.names(drawn), call=call.number)
        told = met.drawn if met is not None and met.drawn.agrees(drawn) else drawn
        if not on_host:
            self._drawn.keep(numbers, self.framework.next_numbers(), call.path)
        self._run.random.note(key)
        self.send(Event(key, self.place(), site, told.array, built, call.called, drawn=told))
        return numbers

    def hand_up(self, size: Size) -> None:
        """What entered an operation, entered the statement and the module around it."""
        self.call.size = self.call.size.joined(size)
        if (function := self._function) is not None:
            function.inner = function.inner.joined(size)

    @property
    def call(self) -> Call:
        return self.borders.innermost()

    @property
    def _function(self) -> Function | None:
        """The innermost of the user's functions that are running."""
        return self._lines.running[-1] if self._lines is not None and self._lines.running else None

    @property
    def is_blind(self) -> bool:
        """Whether nothing can be seen of what runs now: a thread that the program has started, whose calls come in no order, or a
        function that is transformed. What comes out of it is seen."""
        return threading.get_ident() != self._thread or self.framework.transforming()

    def passes_over(self, module: Any) -> bool:
        """Whether this is a module without a partner, whose lines are not followed."""
        return bool(self._passed_over) and id(module) in self._passed_over

    # --- emitting ------------------------------------------------------------------------------------------

    def emit(self, tensor: Any, variable: str, *, function: str, frame: int, site: Site | None, call: Call,
             built: Site | None = None, size: Size | None = None, border: bool = False,
             summed: float = 0.0, called: Site | None = None) -> Snapshot:
        """Hand one value to the sink, and see to it that its gradient will follow.

        In a replay the values at the border of a module are cut: the snapshot returned then holds the substitute,
        a leaf with the reference's values, with which the program goes on.
        """
        stage, inside = self.stage, self._function
        if function and call.module is None and stage == "forward" and self.framework.shape_dtype(tensor)[0] == ():
            stage = "losses"  # a single number, bound outside of any module
        key = self._key(stage, call.path, variable, call=call.number, function=function, frame=frame)
        snapshot = self.snapshot(tensor)
        array = snapshot.array
        if id(tensor) in self.parameter_names:  # in the reference's layout, like the parameter itself
            parameter = self.parameter_names[id(tensor)]
            array = self._side.layout(parameter, array)
            if self._run.measure and inside is not None:
                self.magnitudes.parameter_read(parameter, inside.span(snapshot.array.size))
        size = (size or Size()).joined(Size(snapshot.largest, snapshot.largest))
        called = called or call.called
        substitute = self._substitute(key, snapshot.array) if border or key in self._run.righted else None  # before it is let go of
        self.send(Event(key, self.place(), site, array, built, called, *size,
                         snapshot.largest if self._run.measure else None))
        if substitute is not None:
            snapshot = self._spliced(tensor, substitute) if self._run.splice else self._cut(tensor, key, substitute)
        if self._run.gradients and self.framework.requires_grad(snapshot.tensor) and id(tensor) not in self.parameter_names:
            if not snapshot.keys:
                # Of a spliced value the original's: what comes back through its own derivative ends there.
                self._gradients.await_at(snapshot.tensor, tensor if self._run.splice else snapshot.tensor, snapshot.keys)
            spread = inside.span(snapshot.array.size) if inside is not None and function else 1.0
            snapshot.keys.append((key, site, built, called, spread, summed))
        return snapshot

    def snapshot(self, tensor: Any) -> Snapshot:
        version = self.framework.version_of(tensor)
        for snapshot in self._recent:
            if (snapshot.tensor is tensor and snapshot.version == version
                    and snapshot.digest == digest(self.framework.array(tensor, copy=False))):
                return snapshot
        array = self.framework.array(tensor, copy=self.keeps)
        return self._remember(Snapshot(tensor, version, array, self.magnitudes.of(array)))

    def _remember(self, snapshot: Snapshot) -> Snapshot:
        self._recent = [snapshot, *self._recent[:self.RECENT - 1]]
        return snapshot

    def _substitute(self, key: Key, own: np.ndarray | None) -> np.ndarray | None:
        """In a replay, the reference's value to go on with instead of the program's own."""
        if self._run.replay is None or key not in self._run.replay:
            return None
        array = self._run.replay.value(key, str(own.dtype))
        return array if array.shape == own.shape else None  # another shape is a finding, or written in another way

    def _spliced(self, tensor: Any, array: np.ndarray) -> Snapshot:
        """Go on with the reference's values, and leave the graph as it is."""
        before = tensor
        if self.framework.requires_grad(tensor):
            tensor = self.framework.spliced(tensor, array)
        else:
            tensor = self.framework.tensor(array, device=self._run.device)
        self._lowered.carry(before, tensor)
        return self._remember(Snapshot(tensor, self.framework.version_of(tensor), array, 0.0))

    def _cut(self, tensor: Any, key: Key, array: np.ndarray) -> Snapshot:
        """End the graph at `tensor`, and go on from a leaf with the reference's values."""
        differentiable = self.framework.requires_grad(tensor)
        leaf = self.framework.tensor(array, requires_grad=differentiable, device=self._run.device)
        if differentiable:
            self.cuts.append((tensor, key))
            leaf = self.framework.clone(leaf)  # a leaf that requires gradients could not be written in place
        self._lowered.carry(tensor, leaf)
        return self._remember(Snapshot(leaf, self.framework.version_of(leaf), array, 0.0))

    def emit_entry(self, stage: str, name: str, array: np.ndarray | None, order: int | None) -> np.ndarray | None:
        """Returns the reference's value to go on with, in a replay."""
        seen = self._side.view(name, array)
        if seen is None:
            return None
        name, array = seen
        owner, _, variable = name.rpartition(".")
        built = self._side.sites.of(self._modules.get(owner))
        key = self._key(stage, owner, variable)
        magnitudes = self.magnitudes
        scale = magnitudes.of_parameter_gradient(name, array) if stage == "gradients" else magnitudes.of(array)
        substitute = self._substitute(key, array) if array is not None else None
        self.send(Event(key, self.place() if order is None else order, built, array, built, None,
                         scale, scale))
        return substitute

    def _key(self, stage: str, module: str, variable: str, *, call: int = 0, function: str = "", frame: int = 0) -> Key:
        """The next key of that name."""
        key = Key(stage, self._run.step, self.phase, module, call, function, frame, variable, 0)
        number = self._occurrences[key]
        self._occurrences[key] += 1
        return key._replace(occurrence=number) if number else key

    def send(self, event: Event) -> None:
        self._sink.receive(event)


def _owner(name: str) -> str:
    return name.rpartition(".")[0]

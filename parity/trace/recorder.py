"""Recording a run: every module call, every local variable a line binds, every gradient, in execution order.

A `Recorder` watches models (through hooks) and source files (through `sys.settrace`, limited to the code objects of the
user's files) while a program runs, and hands one `Event` after the other to a *sink*. In-place operations overwrite what
an earlier line bound, so a value is taken at the moment of its event; a sink compares it at once or keeps a copy.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.frameworks.nests import Unknown, as_array, gone_through, leaves
from parity.numbers.arrays import largest_magnitude
from parity.numbers.distributions import Drawn, Numbers
from parity.trace.arrivals import Arrivals
from parity.trace.events import OPERATION, Event, Key, Sink
from parity.trace.lines import Call, Function, Lines
from parity.trace.magnitudes import Magnitudes, Size, rounding_of_a_sum
from parity.trace.side import Run, Side
from parity.trace.source import Site


@dataclass(slots=True)
class Snapshot:
    """A tensor's values at one moment, and the keys under which this very tensor has been seen."""

    tensor: Any
    version: int
    array: np.ndarray
    largest: float
    keys: list[tuple] = field(default_factory=list)


class Recorder:
    """Records one run of one program; `watch` its models, then run it within `recording()`.

    phase, stage: where the values that come now stand. call: the innermost module call in progress. cuts: of a replay, the tensors
    at which the graph was cut, with the keys of what goes on from there. inputs: id of a tensor that the program itself is given ->
    its place among them, which is the same on both sides whatever the argument is called there. results: access paths of what the
    program itself returned last -> those of the reference.
    """

    RECENT = 6  # tensors whose last snapshot is reused when the next line or module border shows the same value

    def __init__(self, side: Side, sink: Sink, run: Run | None = None) -> None:
        self.framework = side.framework
        self._side, self._sink, self._run = side, sink, run or Run()
        self.phase, self.stage = None, self._run.stage
        self.magnitudes = Magnitudes(side.framework, side.source, self._run.measure)
        self.cuts: list[tuple[Any, Key]] = []
        self.inputs: dict[int, str] = {}
        self.results: dict[str, str] = {}
        self._order = 0
        self._calls: list[Call] = [Call("", 0, None)]
        self._lines: Lines | None = None
        self._call_numbers: Counter[str] = Counter()
        self._occurrences: Counter[Key] = Counter()
        self._recent: list[Snapshot] = []
        self._arrivals = Arrivals()
        self._leaves: list[tuple[Any, Callable[[Any], None]]] = []  # that are no parameters, with what observes their gradients
        self._removers: list[Callable[[], None]] = []
        self._modules: dict[str, Any] = {}
        self._last_call: dict[str, int] = {}  # module path -> order of its latest call
        self._parameters: dict[str, Any] = {}
        self._parameter_names: dict[int, str] = {}  # by id: a local may *be* a parameter
        self._buffers: dict[str, Any] = {}
        self._parameter_order: dict[str, int] = {}
        self._released: set[str] = set()  # parameters
        self._passed_over: set[int] = set()  # modules without a partner, by id

    # --- what to watch -------------------------------------------------------------------------------------

    def watch(self, model: Any, name: str | None = None, paths: Mapping[str, str] | None = None) -> None:
        """Follow a model's modules, and its parameters' gradients; `name` and `paths` are the recorder's, or this model's."""
        framework, name = self.framework, self._side.name if name is None else name
        paths = self._side.paths if paths is None else paths
        for own, module in framework.modules(model):
            path = own if paths is None else paths.get(own)
            if path is None:
                self._passed_over.add(id(module))
                continue
            path = ".".join(filter(None, (name, path)))
            self._modules[path] = module
            self._removers.append(framework.before_forward(module, self._before(path)))
            self._removers.append(framework.after_forward(module, self._after))
        prefix = f"{name}." if name else ""
        for parameter_name, parameter in framework.parameters(model).items():
            self._parameters[prefix + parameter_name] = parameter
            self._parameter_names[id(parameter)] = prefix + parameter_name
            if self._run.gradients and framework.requires_grad(parameter):
                note = self._note_parameter_order(prefix + parameter_name)
                self._removers.append(framework.on_gradient(parameter, note))
                if self._run.release:
                    self._removers.append(framework.on_accumulated(parameter, self._release_gradient(prefix + parameter_name)))
        for buffer_name, buffer in framework.buffers(model).items():
            self._buffers[prefix + buffer_name] = buffer

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Follow lines for the duration of the block; afterwards all hooks are gone."""
        before = sys.gettrace()
        watching = self.framework.operations(self._operation, self._side.source) if self._run.operations else nullcontext()
        try:
            with watching, self._drawing(), self.framework.unhooked(self._observe_leaf):
                if self._run.lines:
                    self._lines = Lines(self, self._side.source, self._side.phases)
                    sys.settrace(self._lines.follow)
                yield self
            for event in self._arrivals.left():
                self._send(event)
        finally:
            sys.settrace(before)
            self._lines = None  # it holds the recorder
            for remove in self._removers:
                remove()
            self._removers.clear()
            self._recent.clear()
            self._leaves.clear()

    def snapshot_gradients(self, clipped: Mapping[str, Any] | None = None) -> None:
        """Emit the gradient of every watched parameter as it is now, in the order backward finished them.

        clipped: name -> what the optimizer's step will use in place of it.
        """
        names = sorted((name for name in self._parameters if name not in self._released),
                       key=lambda name: self._parameter_order.get(name, sys.maxsize))
        for name in names:
            parameter = self._parameters[name]
            gradient = (clipped or {}).get(name, self.framework.gradient(parameter))
            array = None if gradient is None else self.framework.array(gradient, copy=self._sink.keeps)
            substitute = self._emit_entry("gradients", name, array, self._parameter_order.get(name))
            if self._run.splice and substitute is not None and gradient is not None:
                self.framework.set_gradient(parameter, self._side.back(name, substitute))
        self._parameter_order.clear()
        self._released.clear()

    def snapshot_buffers(self) -> None:
        """Emit every watched buffer as it is now (stage "state"), in the order in which their modules ran."""
        for name, buffer in sorted(self._buffers.items(), key=lambda item: self._last_call.get(_owner(item[0]), 0)):
            self._emit_entry("state", name, self.framework.array(buffer, copy=self._sink.keeps), None)

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
        self._send(Event(key, order, site or built, array, built, None, scale, scale, None, norm))

    def place(self) -> int:
        """The next place in the order of events, for a value that is known later."""
        return self._next_order()

    def record(self, stage: str, variable: str, tensor: Any, module: str = "") -> None:
        """Emit a value that neither a line nor a module shows (a loss of a driver, a batch)."""
        stage, self.stage = self.stage, stage
        try:
            self.emit(tensor, variable, function="", frame=0, site=self._side.source.site(sys._getframe(1)),
                       call=Call(module, 0, None))
        finally:
            self.stage = stage

    def emit_pixels(self, array: np.ndarray, variable: str, function: str, frame: int, site: Site | None,
                    called: Site | None) -> None:
        """Emit a value of the data code that is no tensor: a picture, an array."""
        key = self._key(self.stage, "", variable, function=function, frame=frame)
        largest = largest_magnitude(array)
        self._send(Event(key, self._next_order(), site, array.copy() if self._sink.keeps else array, None, called,
                         largest, largest, largest))

    # --- module borders ------------------------------------------------------------------------------------

    def _before(self, path: str) -> Callable[[Any, tuple, dict], None]:
        def hook(module: Any, inputs: tuple, keywords: dict) -> None:
            called = self._side.source.site(sys._getframe(1))
            call = Call(path, self._call_numbers[path], module, called=called)
            self._call_numbers[path] += 1
            self._calls.append(call)
            ragged = self.framework.ragged(module, inputs)
            for argument, given in arguments(module, inputs, keywords):
                for place, tensor in self.framework.tensors_in(given, argument):
                    if ragged and place.startswith("[0]"):
                        continue
                    place = self.inputs.get(id(tensor), place) if path == self._side.name else place
                    snapshot = self.emit(tensor, f"input{place}", function="", frame=0, site=called, call=call,
                                         summed=self.magnitudes.dot_terms(module)[1])
                    call.entered = max(call.entered, snapshot.largest)

        return hook

    def _after(self, module: Any, inputs: tuple, outputs: Any) -> Any:
        given = outputs
        if self.call.path == self._side.name:  # what the program itself returns can be gone through here, and only once
            outputs = gone_through(outputs)
        call = self._calls.pop()
        while call.module is not module:  # a call inside raised, and the program went on
            call = self._calls.pop()
        built = self._side.sites.of(module)
        library = not self._side.source.defines(module)
        site = (built or call.called) if library else (call.returned or built or call.called)
        size = self._size(call, inputs, outputs) if self._run.measure else Size()
        replacements = {}
        parts = list(leaves(outputs, self.framework.is_tensor, objects=True))
        ragged = self.framework.ragged(module, inputs)
        returned = [(place, part) for place, part in parts if self.framework.is_tensor(part)
                    and not (ragged and place.startswith("[0]"))]
        names = self._names(call, [place for place, part in parts if part is not None])
        single = self._side.paths is not None and len(returned) == 1  # `y` of one framework may be `(y, None)` of the other
        for place, tensor in returned:
            # A parameter that is returned is seen apart from its other uses.
            observable = self.framework.clone(tensor) if id(tensor) in self._parameter_names else self.framework.observable(tensor)
            snapshot = self.emit(observable, "output" if single else f"output{names[place]}", function="", frame=0, site=site,
                                 call=call, built=built, size=size, border=True)
            if snapshot.tensor is not tensor:
                replacements[place] = snapshot.tensor
        for place, part in parts:
            if part is not None and not self.framework.is_tensor(part):
                self._emit_number(f"output{names[place]}", part, call, site, built, size)
        self.hand_up(size)
        self._last_call[call.path] = self._order
        self.magnitudes.module_left(call.path, call.entered)
        return self.framework.replace_tensors(outputs, replacements) if replacements else None if outputs is given else outputs

    def _names(self, call: Call, places: list[str]) -> dict[str, str]:
        """The access paths of what a module returns, as the reference has them."""
        named = self._run.results
        known = dict(zip(places, places, strict=True)) if named is None else named(call.path, call.number, places)
        if call.path == self._side.name:
            self.results = known
        return known

    def _emit_number(self, variable: str, part: Any, call: Call, site: Site | None, built: Site | None, size: Size) -> None:
        """Emit a result that is no tensor: a number, a text; or that there is one of a kind that cannot be compared."""
        array, unknown = None, None
        try:
            array = as_array(part)
        except Unknown as error:
            unknown = str(error)
        largest = largest_magnitude(array) if self._run.measure and array is not None and array.dtype.kind == "f" else None
        key = Key(self.stage, self._run.step, self.phase, call.path, call.number, "", 0, variable, 0)
        self._send(Event(key, self._next_order(), site, array, built, call.called,
                         *size.joined(Size(largest or 0.0, largest or 0.0)), largest, unknown=unknown))

    def _operation(self, name: str, arguments: tuple, result: Any) -> None:
        """One call of a library function in the user's own code, under the name that both frameworks have for it."""
        call = self.call
        if call.module is not None and not self._side.source.defines(call.module):
            return  # inside a library's layer, whose border shows it
        site = self._side.source.site(sys._getframe(2))
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
        with self.framework.drawing(Numbers(self._draw)):
            yield
        hand.close()

    def _draw(self, drawn: Drawn) -> np.random.Generator:
        """The generator of a draw's numbers. The event that tells of it has the key of its counterpart, and is the same where the
        two agree: a draw may be written in several ways."""
        call, source = self.call, self._side.source
        site = source.site(sys._getframe(1))
        built = self._side.sites.of(call.module) if call.module is not None else None
        if call.module is not None and not source.defines(call.module):
            site = built or site
        met, numbers = self._run.random.take(drawn, tuple((around.path, around.number) for around in self._calls))
        key = met.key if met is not None else self._key(self.stage, call.path, self._run.random.names(drawn), call=call.number)
        told = met.drawn if met is not None and met.drawn.agrees(drawn) else drawn
        self._run.random.note(key)
        self._send(Event(key, self._next_order(), site, told.array, built, call.called, drawn=told))
        return numbers

    def hand_up(self, size: Size) -> None:
        """What entered an operation, entered the statement and the module around it."""
        self.call.size = self.call.size.joined(size)
        if (function := self._function) is not None:
            function.inner = function.inner.joined(size)

    def _size(self, call: Call, inputs: tuple, outputs: Any) -> Size:
        largest = max((self.snapshot(tensor).largest for _, tensor in self.framework.tensors_in(outputs)), default=0.0)
        return self.magnitudes.of_module(call.module, call.entered, call.size, inputs, outputs, largest)

    @property
    def call(self) -> Call:
        return self._calls[-1]

    @property
    def _function(self) -> Function | None:
        """The innermost of the user's functions that are running."""
        return self._lines.running[-1] if self._lines is not None and self._lines.running else None

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
        if id(tensor) in self._parameter_names:  # in the reference's layout, like the parameter itself
            parameter = self._parameter_names[id(tensor)]
            array = self._side.layout(parameter, array)
            if self._run.measure and inside is not None:
                self.magnitudes.parameter_read(parameter, inside.span(snapshot.array.size))
        size = (size or Size()).joined(Size(snapshot.largest, snapshot.largest))
        called = called or call.called
        substitute = self._substitute(key, snapshot.array) if border else None  # before the sink lets go of it
        self._send(Event(key, self._next_order(), site, array, built, called, *size,
                         snapshot.largest if self._run.measure else None))
        if substitute is not None:
            snapshot = self._spliced(tensor, substitute) if self._run.splice else self._cut(tensor, key, substitute)
        if self._run.gradients and self.framework.requires_grad(snapshot.tensor) and id(tensor) not in self._parameter_names:
            if not snapshot.keys:
                observe = self._observe_gradient(snapshot.keys)
                # Of a spliced value the original's: what comes back through its own derivative ends there.
                self.framework.on_gradient(tensor if self._run.splice else snapshot.tensor, observe)
                if snapshot.tensor.is_leaf:
                    self._leaves.append((snapshot.tensor, observe))
            spread = inside.span(snapshot.array.size) if inside is not None and function else 1.0
            snapshot.keys.append((key, site, built, called, spread, summed))
        return snapshot

    def snapshot(self, tensor: Any) -> Snapshot:
        version = self.framework.version_of(tensor)
        for snapshot in self._recent:
            if snapshot.tensor is tensor and snapshot.version == version:
                return snapshot
        array = self.framework.array(tensor, copy=self._sink.keeps)
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
        if self.framework.requires_grad(tensor):
            tensor = self.framework.spliced(tensor, array)
        else:
            tensor = self.framework.tensor(array, device=self._run.device)
        return self._remember(Snapshot(tensor, self.framework.version_of(tensor), array, 0.0))

    def _cut(self, tensor: Any, key: Key, array: np.ndarray) -> Snapshot:
        """End the graph at `tensor`, and go on from a leaf with the reference's values."""
        differentiable = self.framework.requires_grad(tensor)
        leaf = self.framework.tensor(array, requires_grad=differentiable, device=self._run.device)
        if differentiable:
            self.cuts.append((tensor, key))
            leaf = self.framework.clone(leaf)  # a leaf that requires gradients could not be written in place
        return self._remember(Snapshot(leaf, self.framework.version_of(leaf), array, 0.0))

    def _observe_gradient(self, keys: list[tuple]) -> Callable[[Any], None]:
        # The graph holds its hooks; a hook that held the recorder would hold the model and, where a model keeps a tensor of the
        # graph (a view of a parameter), all of it for ever: torch cannot collect a cycle that runs through its graph.
        recorder = weakref.ref(self)

        def observe(gradient: Any) -> None:
            self = recorder()
            if gradient is None or self is None:  # torch: one of several results of an operation, nothing depends on it
                return
            array = self.framework.array(gradient, copy=self._sink.keeps)
            scale = self.magnitudes.of(array)
            # One gradient under several names: that of a layer's input is the output gradient of the layer before.
            entered = scale * max(rounding_of_a_sum(key[-1]) for key in keys)
            events = []
            for key, site, built, called, spread, _ in keys:
                self.magnitudes.gradient_arrived(key, array, scale)
                events.append(Event(key._replace(stage="gradients"), self._next_order(), site, array, built, called,
                                    max(scale, entered), scale * math.sqrt(spread), scale if self._run.measure else None))
            for event in self._arrivals.arrived(observe, events):
                self._send(event)

        return observe

    def _observe_leaf(self, leaf: Any, gradient: Any) -> None:
        """What `grad` returns of a leaf is its gradient, also where the framework calls no hook."""
        for tensor, observe in self._leaves:
            if tensor is leaf:
                observe(gradient)

    def _release_gradient(self, name: str) -> Callable[[], None]:
        recorder = weakref.ref(self)  # as above

        def release() -> None:
            self = recorder()
            if self is not None:
                parameter = self._parameters[name]
                array = self.framework.array(self.framework.gradient(parameter), copy=self._sink.keeps)
                self._emit_entry("gradients", name, array, self._parameter_order.get(name))
                self.framework.clear_gradient(parameter)
                self._released.add(name)

        return release

    def _note_parameter_order(self, name: str) -> Callable[[Any], None]:
        def note(gradient: Any) -> None:
            self._parameter_order[name] = self._next_order()

        return note

    def _emit_entry(self, stage: str, name: str, array: np.ndarray | None, order: int | None) -> np.ndarray | None:
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
        self._send(Event(key, self._next_order() if order is None else order, built, array, built, None,
                         scale, scale))
        return substitute

    def _key(self, stage: str, module: str, variable: str, *, call: int = 0, function: str = "", frame: int = 0) -> Key:
        """The next key of that name."""
        key = Key(stage, self._run.step, self.phase, module, call, function, frame, variable, 0)
        number = self._occurrences[key]
        self._occurrences[key] += 1
        return key._replace(occurrence=number)

    def _send(self, event: Event) -> None:
        self._sink.receive(event)

    def _next_order(self) -> int:
        self._order += 1
        return self._order


def arguments(module: Any, inputs: tuple, keywords: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(place, value) of the arguments of a call: one that is handed over by keyword stands where it would without."""
    yield from ((f"[{number}]", value) for number, value in enumerate(inputs))
    names = _parameters_of(type(module)) if keywords else ()
    yield from ((f"[{names.index(name)}]" if name in names else f"[{name!r}]", value) for name, value in keywords.items())


@functools.cache
def _parameters_of(kind: type) -> tuple[str, ...]:
    """Names of the positional parameters of a class's forward."""
    try:
        parameters = inspect.signature(kind.forward).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD))[1:]


def _owner(name: str) -> str:
    return name.rpartition(".")[0]

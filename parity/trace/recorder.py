"""Recording a run: every module call, every local variable a line binds, every gradient, in execution order.

A `Recorder` watches models (through hooks) and source files (through `sys.settrace`, limited to the code objects of the
user's files) while a program runs, and hands one `Event` after the other to a *sink*. In-place operations overwrite what
an earlier line bound, so a value is taken at the moment of its event; a sink compares it at once or keeps a copy.
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple, Protocol

import numpy as np

from parity.frameworks import Framework, numbers_in, pixels_in
from parity.numbers.arrays import largest_magnitude
from parity.trace.source import ConstructionSites, Site, SourceTree, Statement, statements_of

OPERATION = "operation"  # stands for the function where a value is the result of a single operation


class Key(NamedTuple):
    """What makes two values of two programs *the same value*: matching is by equality of keys."""

    stage: str  # census, data, forward, losses, gradients, update, state
    step: int
    phase: str | None  # D, G or None
    module: str  # dotted path, as in the state dict; "" at top level
    call: int  # the module's how-manieth call, from 0
    function: str  # "" at the border of a module (inputs, outputs, parameters), else the function's name
    frame: int  # the function's how-manieth run within that module call
    variable: str  # local name, with the access path inside nests: "x", "outs[1]", "input[0]", "output"
    occurrence: int  # how-manieth binding of that name

    @property
    def is_local(self) -> bool:
        """A local variable: without a partner it is *uncompared*. Everything else must have one."""
        return self.function != ""

    @property
    def is_activation_gradient(self) -> bool:
        return self.stage == "gradients" and (self.is_local or self.variable.startswith(("input", "output")))

    def __str__(self) -> str:
        where = self.module or "(top level)"
        if self.call:
            where += f" call {self.call + 1}"
        name = f"{self.function}: {self.variable}" if self.function else self.variable
        again = f" (binding {self.occurrence + 1})" if self.occurrence else ""
        return f"{self.stage} {where} {name}{again}"


@dataclass(slots=True)
class Event:
    """One value that a program computed.

    array: the value, or None for a gradient that does not exist. `scale`: the largest magnitude that entered the
    operation. `unit`: the same x sqrt(terms reduced); times eps(dtype) it is what one operation's rounding may do to
    the value. Both are recorded where asked for (`Recorder(measure=True)`), else 0.
    """

    key: Key
    order: int
    site: Site | None
    array: np.ndarray | None
    built: Site | None = None
    called: Site | None = None
    scale: float = 0.0
    unit: float = 0.0
    largest: float | None = None  # of the value itself, where it was measured
    norm: bool = False  # compare by 2-norms: one element of an Adam update may flip its sign by rounding alone
    borders: tuple[float, ...] | None = None  # of its strata (`numbers.strata`), once they have been looked for
    unknown: str | None = None  # of what type a result is that cannot be compared


class Sink(Protocol):
    """Where events go. `keeps` says whether arrays outlive `receive`, and so must be copies."""

    keeps: bool

    def receive(self, event: Event) -> None: ...


class Replayed(Protocol):
    """Values to go on with in a replay."""

    def __contains__(self, key: Key) -> bool: ...

    def value(self, key: Key, dtype: str) -> np.ndarray: ...


class _Size(NamedTuple):
    """How large the numbers inside an operation were: `Event.scale` and `Event.unit`."""

    scale: float = 0.0
    unit: float = 0.0

    def joined(self, other: _Size) -> _Size:
        return _Size(max(self.scale, other.scale), max(self.unit, other.unit))


@dataclass(slots=True)
class _Call:
    """A module call in progress."""

    path: str
    number: int
    module: Any
    functions: Counter = field(default_factory=Counter)
    returned: Site | None = None
    called: Site | None = None
    entered: float = 0.0
    size: _Size = field(default_factory=lambda: _Size())


@dataclass(slots=True)
class _Snapshot:
    """A tensor's values at one moment, and the keys under which this very tensor has been seen."""

    tensor: Any
    version: int
    array: np.ndarray
    largest: float
    keys: list[tuple] = field(default_factory=list)


class Recorder:
    """Records one run of one program.

    framework: the program's. source: the user's files, whose lines are followed. sink: receives the events.
    view: (parameter or buffer name, array) -> (reference name, array in the reference's layout), None where the entry
    has no partner by design. measure: also work out `Event.unit` (needed of the reference only). replay: the values to
    go on with at the border of each module instead of the program's own, and of each parameter's gradient before an update.
    splice: in a replay, leave the graph whole, for a program that does its own backward; else it is cut there, and `cuts`
    lists where. back: (parameter name, array in the reference's layout) -> the array in the program's own.
    paths: module path -> the reference's, where they differ; modules that are not in it are passed over. operations: record
    the results of single operations too (`parity.frameworks.operations`). name: stands before all module paths. phases: name of a
    top-level function -> (phase, stage) of what happens in it. release: record the gradient of each parameter as soon as backward
    has finished it, and let go of it; else they are recorded by `snapshot_gradients`, and stay.
    """

    RECENT = 6  # tensors whose last snapshot is reused when the next line or module border shows the same value

    def __init__(self, framework: Framework, source: SourceTree, sink: Sink, *,
                 view: Callable[[str, np.ndarray], tuple[str, np.ndarray] | None] | None = None,
                 constructions: ConstructionSites | None = None, measure: bool = False,
                 gradients: bool = True, lines: bool = True,
                 replay: Replayed | None = None, splice: bool = False, device: str = "cpu",
                 back: Callable[[str, np.ndarray], np.ndarray] | None = None,
                 paths: Mapping[str, str] | None = None, operations: bool = False,
                 name: str = "", phases: Mapping[str, tuple[str | None, str]] | None = None, step: int = 0,
                 release: bool = False) -> None:
        self.framework = framework
        self.step, self.phase, self.stage = step, None, "forward"
        self._phases = phases or {}
        self._source, self._sink = source, sink
        self._view = view or (lambda name, array: (name, array))
        self._constructions = constructions or ConstructionSites()
        self._measure, self._gradients, self._lines = measure, gradients, lines
        self._order = 0
        self._calls: list[_Call] = [_Call("", 0, None)]
        self._frames: list[_FrameTrace] = []
        self._call_numbers: Counter[str] = Counter()
        self._occurrences: Counter[Key] = Counter()
        self._recent: list[_Snapshot] = []
        self._removers: list[Callable[[], None]] = []
        self._modules: dict[str, Any] = {}
        self._last_call: dict[str, int] = {}  # module path -> order of its latest call
        self._entered: dict[str, float] = {}  # module path -> largest magnitude among its inputs
        self._partial_sums: dict[str, float] = {}  # module path -> sqrt(terms) x largest output gradient
        self._parameters: dict[str, Any] = {}
        self._parameter_names: dict[int, str] = {}  # by id: a local may *be* a parameter
        self._parameter_spans: dict[str, float] = {}  # ... and be broadcast there, over so many times its own elements
        self._buffers: dict[str, Any] = {}
        self._own_weights: dict[int, list[tuple[Any, tuple[int, ...]]]] = {}  # by the module's id
        self._parameter_order: dict[str, int] = {}
        self._release = release
        self._released: set[str] = set()  # parameters
        self._codes: dict[Any, bool] = {}
        self._replay, self._splice, self._device = replay, splice, device
        self._back = back or (lambda name, array: array)
        self._name, self._paths, self._operations = name, paths, operations
        self._passed_over: set[int] = set()  # modules without a partner, by id
        self.cuts: list[tuple[Any, Key]] = []

    # --- what to watch -------------------------------------------------------------------------------------

    def watch(self, model: Any, name: str | None = None, paths: Mapping[str, str] | None = None) -> None:
        """Follow a model's modules, and its parameters' gradients; `name` and `paths` are the recorder's, or this model's."""
        framework, name = self.framework, self._name if name is None else name
        paths = self._paths if paths is None else paths
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
            if self._gradients and framework.requires_grad(parameter):
                note = self._note_parameter_order(prefix + parameter_name)
                self._removers.append(framework.on_gradient(parameter, note))
                if self._release:
                    self._removers.append(framework.on_accumulated(parameter, self._release_gradient(prefix + parameter_name)))
        for buffer_name, buffer in framework.buffers(model).items():
            self._buffers[prefix + buffer_name] = buffer

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Follow lines for the duration of the block; afterwards all hooks are gone."""
        before = sys.gettrace()
        watching = self.framework.operations(self._operation, self._source) if self._operations else nullcontext()
        try:
            with watching:
                if self._lines:
                    sys.settrace(self._enter_frame)
                yield self
        finally:
            sys.settrace(before)
            for remove in self._removers:
                remove()
            self._removers.clear()
            self._recent.clear()

    def snapshot_gradients(self) -> None:
        """Emit the gradient of every watched parameter as it is now, in the order backward finished them."""
        names = sorted((name for name in self._parameters if name not in self._released),
                       key=lambda name: self._parameter_order.get(name, sys.maxsize))
        for name in names:
            parameter = self._parameters[name]
            gradient = self.framework.gradient(parameter)
            array = None if gradient is None else self.framework.array(gradient, copy=self._sink.keeps)
            substitute = self._emit_entry("gradients", name, array, self._parameter_order.get(name))
            if self._splice and substitute is not None and gradient is not None:
                self.framework.set_gradient(parameter, self._back(name, substitute))
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
        seen = self._view(name, array) if entry else (name, array)
        if seen is None:
            return
        name, array = seen
        owner, _, variable = name.rpartition(".")
        key = Key(stage, self.step, self.phase, owner, 0, "", 0, variable + suffix, 0)
        key = key._replace(occurrence=self._occurrences[key])
        self._occurrences[key._replace(occurrence=0)] += 1
        built = self._constructions.of(self._modules.get(owner))
        order = self.place() if order is None else order
        self._send(Event(key, order, site or built, array, built, None, scale, scale, None, norm))

    def place(self) -> int:
        """The next place in the order of events, for a value that is known later."""
        return self._next_order()

    def record(self, stage: str, variable: str, tensor: Any, module: str = "") -> None:
        """Emit a value that neither a line nor a module shows (a loss of a driver, a batch)."""
        stage, self.stage = self.stage, stage
        try:
            self._emit(tensor, variable, function="", frame=0, site=self._source.site(sys._getframe(1)),
                       call=_Call(module, 0, None))
        finally:
            self.stage = stage

    def emit_pixels(self, array: np.ndarray, variable: str, function: str, frame: int, site: Site | None,
                    called: Site | None) -> None:
        """Emit a value of the data code that is no tensor: a picture, an array."""
        key = Key(self.stage, self.step, self.phase, "", 0, function, frame, variable, 0)
        key = key._replace(occurrence=self._occurrences[key])
        self._occurrences[key._replace(occurrence=0)] += 1
        largest = largest_magnitude(array)
        self._send(Event(key, self._next_order(), site, array.copy() if self._sink.keeps else array, None, called,
                         largest, largest, largest))

    # --- module borders ------------------------------------------------------------------------------------

    def _before(self, path: str) -> Callable[[Any, tuple], None]:
        def hook(module: Any, inputs: tuple) -> None:
            called = self._source.site(sys._getframe(1))
            call = _Call(path, self._call_numbers[path], module, called=called)
            self._call_numbers[path] += 1
            self._calls.append(call)
            for place, tensor in self.framework.tensors_in(inputs):
                snapshot = self._emit(tensor, f"input{place}", function="", frame=0, site=called, call=call,
                                      summed=self._dot_terms(module)[1])
                call.entered = max(call.entered, snapshot.largest)

        return hook

    def _after(self, module: Any, inputs: tuple, outputs: Any) -> Any:
        call = self._calls.pop()
        while call.module is not module:  # a call inside raised, and the program went on
            call = self._calls.pop()
        built = self._constructions.of(module)
        library = not self._source.defines(module)
        site = (built or call.called) if library else (call.returned or built or call.called)
        size = self._module_size(call, inputs, outputs) if self._measure else _Size()
        replacements = {}
        returned = list(self.framework.tensors_in(outputs))
        single = self._paths is not None and len(returned) == 1  # `y` of one framework may be `(y, None)` of the other
        for place, tensor in returned:
            observable = self.framework.observable(tensor)
            snapshot = self._emit(observable, "output" if single else f"output{place}", function="", frame=0, site=site,
                                  call=call, built=built, size=size, border=True)
            if snapshot.tensor is not tensor:
                replacements[place] = snapshot.tensor
        for place, array in numbers_in(outputs):
            key = Key(self.stage, self.step, self.phase, call.path, call.number, "", 0, f"output{place}", 0)
            largest = largest_magnitude(array) if self._measure and array.dtype.kind == "f" else None
            self._send(Event(key, self._next_order(), site, array, built, call.called,
                             *size.joined(_Size(largest or 0.0, largest or 0.0)), largest))
        self._hand_up(size)
        self._last_call[call.path] = self._order
        self._entered[call.path] = max(call.entered, self._entered.get(call.path, 0.0))
        return self.framework.replace_tensors(outputs, replacements) if replacements else None

    def _operation(self, name: str, arguments: tuple, result: Any) -> None:
        """One call of a library function in the user's own code, under the name that both frameworks have for it."""
        call = self._calls[-1]
        if call.module is not None and not self._source.defines(call.module):
            return  # inside a library's layer, whose border shows it
        site = self._source.site(sys._getframe(2))
        results = list(self.framework.tensors_in(result))
        size = _Size()
        if self._measure:
            largest, elements = 0.0, 1
            for _, tensor in self.framework.tensors_in(arguments):
                array = self.framework.array(tensor, copy=False)
                largest = max(largest, largest_magnitude(array)) if array.dtype.kind == "f" else largest
                elements = max(elements, array.size)
            least = min((math.prod(self.framework.shape_dtype(tensor)[0]) for _, tensor in results), default=1)
            size = _Size(largest, math.sqrt(max(1, elements // max(1, least))) * largest)
        for place, tensor in results:
            self._emit(tensor, name + place, function=OPERATION, frame=0, site=site, call=call, size=size)

    def _hand_up(self, size: _Size) -> None:
        """What entered an operation, entered the statement and the module around it."""
        self._calls[-1].size = self._calls[-1].size.joined(size)
        if self._frames:
            self._frames[-1].inner = self._frames[-1].inner.joined(size)

    def _module_size(self, call: _Call, inputs: tuple, outputs: Any) -> _Size:
        """Of a module: a dot product over its fan-in, or a mean over the space of a map; and what its own parts had."""
        shapes_in = [self.framework.shape_dtype(t)[0] for _, t in self.framework.tensors_in(inputs)]
        shapes_out = [self.framework.shape_dtype(t)[0] for _, t in self.framework.tensors_in(outputs)]
        terms = max([1, *(math.prod(shape[2:]) for shape in shapes_in if len(shape) > 2)])
        if shapes_in and shapes_out:
            terms = max(terms, max(map(math.prod, shapes_in)) // max(1, min(map(math.prod, shapes_out))))
        scale = call.entered
        for parameter, shape in self._weights(call.module):
            terms = max(terms, math.prod(shape) // min(shape))
            scale = max(scale, call.entered * largest_magnitude(self.framework.array(parameter, copy=False)))
        largest_out = max((self._snapshot(t).largest for _, t in self.framework.tensors_in(outputs)), default=0.0)
        accumulated = rounding_of_a_sum(self._dot_terms(call.module)[0]) * largest_out
        return _Size(max(scale, accumulated), math.sqrt(terms) * scale).joined(call.size)

    def _dot_terms(self, module: Any) -> tuple[float, float]:
        """Terms of the dot products that a library module with a weight makes: forward, and backward to its input.

        The order in which a library's kernel adds them is its own affair; that of a mean written in the user's source
        is not, and is judged more strictly. (0, 0) for all other modules, and where nothing is measured.
        """
        if self._measure and not self._source.defines(module):
            for _, shape in self._weights(module):
                return math.prod(shape) / shape[0], math.prod(shape) / shape[1]
        return 0.0, 0.0

    def _weights(self, module: Any) -> list[tuple[Any, tuple[int, ...]]]:
        """The module's own parameters of two dimensions and more, each with its shape; looked up once (it walks all below)."""
        found = self._own_weights.get(id(module))
        if found is None:
            own = [value for name, value in self.framework.parameters(module).items() if "." not in name]
            shaped = [(value, self.framework.shape_dtype(value)[0]) for value in own]
            found = self._own_weights[id(module)] = [(value, shape) for value, shape in shaped if len(shape) > 1]
        return found

    # --- lines ---------------------------------------------------------------------------------------------

    def _enter_frame(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        traced = self._codes.get((code, code.co_filename))
        if traced is None:
            traced = self._codes[code, code.co_filename] = code.co_filename in self._source and not code.co_name.startswith("<")
        if not traced or (self._passed_over and id(frame.f_locals.get("self")) in self._passed_over):
            return None
        call = self._calls[-1]
        number = call.functions[code.co_name]
        call.functions[code.co_name] += 1
        before = self.phase, self.stage
        if call.module is None and code.co_name in self._phases:
            self.phase, self.stage = self._phases[code.co_name]
        trace = _FrameTrace(self, call, code, number, before)
        self._frames.append(trace)
        trace.arguments(frame, emit=not trace.is_forward(frame))
        return trace

    # --- emitting ------------------------------------------------------------------------------------------

    def _emit(self, tensor: Any, variable: str, *, function: str, frame: int, site: Site | None, call: _Call,
              built: Site | None = None, size: _Size | None = None, border: bool = False,
              summed: float = 0.0, called: Site | None = None) -> _Snapshot:
        """Hand one value to the sink, and see to it that its gradient will follow.

        In a replay the values at the border of a module are cut: the snapshot returned then holds the substitute,
        a leaf with the reference's values, with which the program goes on.
        """
        stage = self.stage
        if function and call.module is None and stage == "forward" and self.framework.shape_dtype(tensor)[0] == ():
            stage = "losses"  # a single number, bound outside of any module
        key = Key(stage, self.step, self.phase, call.path, call.number, function, frame, variable, 0)
        occurrence = self._occurrences[key]
        self._occurrences[key] += 1
        key = key._replace(occurrence=occurrence)
        snapshot = self._snapshot(tensor)
        array = snapshot.array
        if id(tensor) in self._parameter_names:  # in the reference's layout, like the parameter itself
            parameter = self._parameter_names[id(tensor)]
            array = (self._view(parameter, array) or (None, array))[1]
            if self._measure and self._frames:
                span = self._frames[-1].widest(snapshot.array.size)
                self._parameter_spans[parameter] = max(span, self._parameter_spans.get(parameter, 0.0))
        size = (size or _Size()).joined(_Size(snapshot.largest, snapshot.largest))
        called = called or call.called
        substitute = self._substitute(key, snapshot.array) if border else None  # before the sink lets go of it
        self._send(Event(key, self._next_order(), site, array, built, called, *size,
                         snapshot.largest if self._measure else None))
        if substitute is not None:
            snapshot = self._spliced(tensor, substitute) if self._splice else self._cut(tensor, key, substitute)
        if self._gradients and self.framework.requires_grad(snapshot.tensor) and id(tensor) not in self._parameter_names:
            if not snapshot.keys:
                self.framework.on_gradient(snapshot.tensor, self._observe_gradient(snapshot.keys))
            spread = self._frames[-1].widest(snapshot.array.size) if self._frames and function else 1.0
            snapshot.keys.append((key, site, built, called, spread, summed))
        return snapshot

    def _snapshot(self, tensor: Any) -> _Snapshot:
        version = self.framework.version_of(tensor)
        for snapshot in self._recent:
            if snapshot.tensor is tensor and snapshot.version == version:
                return snapshot
        array = self.framework.array(tensor, copy=self._sink.keeps)
        return self._remember(_Snapshot(tensor, version, array, largest_magnitude(array) if self._measure else 0.0))

    def _remember(self, snapshot: _Snapshot) -> _Snapshot:
        self._recent = [snapshot, *self._recent[:self.RECENT - 1]]
        return snapshot

    def _substitute(self, key: Key, own: np.ndarray | None) -> np.ndarray | None:
        """In a replay, the reference's value to go on with instead of the program's own."""
        if self._replay is None or key not in self._replay:
            return None
        array = self._replay.value(key, str(own.dtype))
        # Spliced into the graph it must have the shape of what it stands for; another one is a finding, in any case.
        return None if self._splice and array.shape != own.shape else array

    def _spliced(self, tensor: Any, array: np.ndarray) -> _Snapshot:
        """Go on with the reference's values, and leave the graph as it is."""
        if self.framework.requires_grad(tensor):
            tensor = self.framework.spliced(tensor, array)
        else:
            tensor = self.framework.tensor(array, device=self._device)
        return self._remember(_Snapshot(tensor, self.framework.version_of(tensor), array, 0.0))

    def _cut(self, tensor: Any, key: Key, array: np.ndarray) -> _Snapshot:
        """End the graph at `tensor`, and go on from a leaf with the reference's values."""
        differentiable = self.framework.requires_grad(tensor)
        leaf = self.framework.tensor(array, requires_grad=differentiable, device=self._device)
        if differentiable:
            self.cuts.append((tensor, key))
            leaf = self.framework.clone(leaf)  # a leaf that requires gradients could not be written in place
        return self._remember(_Snapshot(leaf, self.framework.version_of(leaf), array, 0.0))

    def _observe_gradient(self, keys: list[tuple]) -> Callable[[Any], None]:
        passes = itertools.count(1)
        # The graph holds its hooks; a hook that held the recorder would hold the model and, where a model keeps a tensor of the
        # graph (a view of a parameter), all of it for ever: torch cannot collect a cycle that runs through its graph.
        recorder = weakref.ref(self)

        def observe(gradient: Any) -> None:
            self = recorder()
            if gradient is None or self is None:  # torch: one of several results of an operation, nothing depends on it
                return
            number = next(passes)
            again = f" (backward {number})" if number > 1 else ""  # through a graph that was retained
            array = self.framework.array(gradient, copy=self._sink.keeps)
            scale = largest_magnitude(array) if self._measure else 0.0
            # One gradient under several names: that of a layer's input is the output gradient of the layer before.
            entered = scale * max(rounding_of_a_sum(key[-1]) for key in keys)
            for key, site, built, called, spread, _ in keys:
                if self._measure and not key.function and key.variable.startswith("output") and array.ndim > 1:
                    terms = array.size / max(1, array.shape[1])  # over batch and space, for each channel
                    partial = math.sqrt(terms) * scale
                    self._partial_sums[key.module] = max(partial, self._partial_sums.get(key.module, 0.0))
                key = key._replace(stage="gradients", variable=key.variable + again)
                self._send(Event(key, self._next_order(), site, array, built, called,
                                 max(scale, entered), scale * math.sqrt(spread), scale if self._measure else None))

        return observe

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
        seen = self._view(name, array)
        if seen is None:
            return None
        name, array = seen
        owner, _, variable = name.rpartition(".")
        built = self._constructions.of(self._modules.get(owner))
        key = Key(stage, self.step, self.phase, owner, 0, "", 0, variable, 0)
        key = key._replace(occurrence=self._occurrences[key])
        self._occurrences[key._replace(occurrence=0)] += 1
        scale = largest_magnitude(array) if self._measure and array is not None else 0.0
        if self._measure and stage == "gradients" and array is not None:
            # A parameter's gradient is a sum over batch and space; what enters its rounding are the partial sums.
            term = self._entered.get(owner, 0.0) if array.ndim > 1 else 1.0
            scale = max(scale, self._partial_sums.get(owner, 0.0) * term)
            scale = max(scale, rounding_of_a_sum(self._parameter_spans.get(name, 0.0)) * largest_magnitude(array))
            if name.endswith("_orig"):  # a spectral norm: its gradient passes through u^T W v, a sum over all of W
                scale = max(scale, rounding_of_a_sum(array.size) * largest_magnitude(array))
        substitute = self._substitute(key, array) if array is not None else None
        self._send(Event(key, self._next_order() if order is None else order, built, array, built, None,
                         scale, scale))
        return substitute

    def _send(self, event: Event) -> None:
        self._sink.receive(event)

    def _next_order(self) -> int:
        self._order += 1
        return self._order


class _FrameTrace:
    """Follows one running function of the user's, statement by statement."""

    __slots__ = ("_before", "_call", "_caller", "_code", "_current", "_number", "_recorder", "_statements", "_values", "inner")

    def __init__(self, recorder: Recorder, call: _Call, code: Any, number: int, before: tuple) -> None:
        self._recorder, self._call, self._code, self._number = recorder, call, code, number
        self._before = before  # phase and stage around this function
        self._caller: Site | None = None  # of a helper function; that of a module's forward is the module's
        self._statements = statements_of(code)
        self._current: Statement | None = None
        self._values: dict[str, tuple[_Size, int]] = {}  # local name -> (size of the value, its elements)
        self.inner = _Size()  # of the operations inside the current statement

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            statement = self._statements.at(frame.f_lineno)
            if statement is not self._current:
                self._finish_statement(frame)
                self._current = statement
        elif event == "exception":
            self._current = None  # the statement did not bind anything
        elif event == "return":
            self._return(frame, arg)
        return self

    def arguments(self, frame: FrameType, emit: bool) -> None:
        """Take the function's arguments; `emit` them where no module border has shown them already."""
        code, recorder = self._code, self._recorder
        caller = recorder._source.site(frame.f_back)
        for name in code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]:
            value = frame.f_locals.get(name)
            if emit:
                self._caller = caller
                self._record(name, value, caller, reads=(), argument=True)
            elif recorder._measure:
                for place, tensor in recorder.framework.tensors_in(value):
                    largest = recorder._snapshot(tensor).largest
                    elements = math.prod(recorder.framework.shape_dtype(tensor)[0])
                    self._note(name, largest, _Size(), elements, place)

    def _finish_statement(self, frame: FrameType) -> None:
        statement = self._current
        if statement is None:
            return
        for name in statement.binds:
            site = Site(self._code.co_filename, statement.first)
            self._record(name, frame.f_locals.get(name), site, statement.reads)
        self.inner = _Size()

    def _return(self, frame: FrameType, value: Any) -> None:
        recorder = self._recorder
        self._finish_statement(frame)
        site = Site(self._code.co_filename, frame.f_lineno)
        if recorder._frames and recorder._frames[-1] is self:
            recorder._frames.pop()
        if self.is_forward(frame):
            self._call.returned = site
        elif value is not None:
            self._record("return", value, site, reads=())
        recorder._hand_up(functools.reduce(_Size.joined, (size for size, _ in self._values.values()), self.inner))
        recorder.phase, recorder.stage = self._before

    def is_forward(self, frame: FrameType) -> bool:
        """Whether this is the module's own forward, whose arguments and result its border shows."""
        call = self._call
        return (self._number == 0 and self._code.co_name == "forward" and call.module is not None
                and frame.f_locals.get("self") is call.module)

    def widest(self, elements: int) -> float:
        """How many times the largest local is larger than a value of so many elements: the span of a broadcast."""
        return max([1.0, *(others / max(1, elements) for _, others in self._values.values())])

    def _record(self, name: str, value: Any, site: Site | None, reads: Any, argument: bool = False) -> None:
        recorder = self._recorder
        for place, tensor in recorder.framework.tensors_in(value):
            size, elements = self.inner, 0
            if recorder._measure:
                elements = math.prod(recorder.framework.shape_dtype(tensor)[0])
                for read in reads:
                    if read in self._values:
                        (largest, unit), others = self._values[read]
                        terms = max(1.0, others / max(1, elements))
                        size = size.joined(_Size(largest, max(unit, math.sqrt(terms) * largest)))
            variable = f"argument {name}{place}" if argument else name + place
            snapshot = recorder._emit(tensor, variable, function=self._code.co_name, frame=self._number, site=site,
                                      call=self._call, size=size, called=self._caller)
            self._note(name, snapshot.largest, size, elements, place)
        if recorder.stage == "data":  # pictures and arrays on their way into a batch
            for place, array in pixels_in(value):
                recorder.emit_pixels(array, f"argument {name}{place}" if argument else name + place, self._code.co_name,
                                     self._number, site, self._caller)

    def _note(self, name: str, largest: float, size: _Size, elements: int, place: str) -> None:
        # The unit of what went in stays with the value: rounding does not vanish by being assigned.
        value = _Size(largest, max(size.unit, largest)), elements
        if place and name in self._values:
            known = self._values[name]
            value = known[0].joined(value[0]), max(known[1], elements)
        self._values[name] = value


def rounding_of_a_sum(terms: float) -> float:
    """How far a plain sum of so many terms may be off, in units of eps x its own magnitude; at least 1.

    Each of n additions rounds by at most eps/2 of the partial sum S_k, evenly spread: standard deviation eps S_k / sqrt(12).
    With partial sums that grow as a random walk, S_k = S sqrt(k / n), the total is eps S sqrt(n / 24): 0.2 sqrt(n) eps S.
    """
    return max(1.0, math.sqrt(terms / 24))


def _owner(name: str) -> str:
    return name.rpartition(".")[0]

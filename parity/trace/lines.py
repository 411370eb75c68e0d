"""Following the lines of the user's functions: what each statement binds, what entered it, and where it stands."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from parity.frameworks import pixels_in
from parity.trace.magnitudes import Size
from parity.trace.source import Site, SourceTree, Statement, statements_of

if TYPE_CHECKING:
    from parity.trace.recorder import Recorder


@dataclass(slots=True)
class Call:
    """A module call in progress, or what is around them all, of no module.

    functions: how often each has run in it. returned, called: the line with its result, the line that calls it. result: of its
    forward, which a decorator around it may hand on. entered: the largest magnitude among its inputs. size: what its operations
    handed up.
    """

    path: str
    number: int
    module: Any
    functions: Counter = field(default_factory=Counter)
    returned: Site | None = None
    result: Any = None
    called: Site | None = None
    entered: float = 0.0
    size: Size = field(default_factory=lambda: Size())
    again: bool = False  # in a recomputation


class Lines:
    """The user's functions that are running, innermost last; `follow` is for `sys.settrace`.

    phases: name of a top-level function -> (phase, stage) of what happens in it.
    """

    def __init__(self, recorder: Recorder, source: SourceTree, phases: Mapping[str, tuple[str | None, str]]) -> None:
        self._recorder, self._source, self._phases = recorder, source, phases
        self._files: dict[str, bool] = {}  # whether it is the user's: this is asked at every call of a Python function
        self.running: list[Function] = []

    def follow(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        followed = self._files.get(code.co_filename)
        if followed is None:
            followed = self._files[code.co_filename] = code.co_filename in self._source
        if not followed or code.co_name.startswith("<"):
            return None
        recorder = self._recorder
        if recorder.passes_over(frame.f_locals.get("self")) or recorder.framework.recomputing() or recorder.is_blind:
            return None
        call = recorder.call
        number = call.functions[code.co_name]
        call.functions[code.co_name] += 1
        before = recorder.phase, recorder.stage
        if call.module is None and code.co_name in self._phases:
            recorder.phase, recorder.stage = self._phases[code.co_name]
        function = Function(recorder, self, call, code, number, before)
        self.running.append(function)
        function.arguments(frame, self._source.site(frame.f_back), emit=not function.is_forward(frame))
        return function


class Function:
    """Follows one running function of the user's, statement by statement."""

    __slots__ = ("_before", "_call", "_caller", "_code", "_current", "_lines", "_number", "_recorder", "_statements", "_values",
                 "inner")

    def __init__(self, recorder: Recorder, lines: Lines, call: Call, code: Any, number: int, before: tuple) -> None:
        self._recorder, self._lines, self._call, self._code, self._number = recorder, lines, call, code, number
        self._before = before  # phase and stage around this function
        self._caller: Site | None = None  # of a helper function; that of a module's forward is the module's
        self._statements = statements_of(code)
        self._current: Statement | None = None
        self._values: dict[str, tuple[Size, int]] = {}  # local name -> (size of the value, its elements)
        self.inner = Size()  # of the operations inside the current statement

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

    def arguments(self, frame: FrameType, caller: Site | None, emit: bool) -> None:
        """Take the function's arguments; `emit` them where no module border has shown them already."""
        code, recorder = self._code, self._recorder
        for name in code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]:
            value = frame.f_locals.get(name)
            if emit:
                self._caller = caller
                self._record(name, value, caller, reads=(), argument=True)
            elif recorder.magnitudes.measured:
                for place, tensor in recorder.framework.tensors_in(value):
                    largest = recorder.snapshot(tensor).largest
                    elements = math.prod(recorder.framework.shape_dtype(tensor)[0])
                    self._note(name, largest, Size(), elements, place)

    def _finish_statement(self, frame: FrameType) -> None:
        statement = self._current
        if statement is None:
            return
        righted = {}
        for name in statement.binds:
            site, value = Site(self._code.co_filename, statement.first), frame.f_locals.get(name)
            if replacements := self._record(name, value, site, statement.reads):
                righted[name] = self._recorder.framework.replace_tensors(value, replacements)
        if righted:
            frame.f_locals.update(righted)  # a trace function's changes are the frame's when it returns
        self.inner = Size()

    def _return(self, frame: FrameType, value: Any) -> None:
        recorder = self._recorder
        self._finish_statement(frame)
        site = Site(self._code.co_filename, frame.f_lineno)
        if self._lines.running and self._lines.running[-1] is self:
            self._lines.running.pop()
        if self.is_forward(frame):
            self._call.returned, self._call.result = site, value
        elif value is not None and value is not self._call.result:
            self._record("return", value, site, reads=())
        recorder.hand_up(functools.reduce(Size.joined, (size for size, _ in self._values.values()), self.inner))
        recorder.phase, recorder.stage = self._before

    def is_forward(self, frame: FrameType) -> bool:
        """Whether this is the module's own forward, whose arguments and result its border shows."""
        call = self._call
        return (self._number == 0 and self._code.co_name == "forward" and call.module is not None
                and frame.f_locals.get("self") is call.module)

    def span(self, elements: int) -> float:
        """How many times the largest local is larger than a value of so many elements: the span of a broadcast."""
        return max([1.0, *(others / max(1, elements) for _, others in self._values.values())])

    def _record(self, name: str, value: Any, site: Site | None, reads: Any, argument: bool = False) -> dict[str, Any]:
        """Returns what the program is to go on with instead: access path -> tensor."""
        recorder, replacements = self._recorder, {}
        for place, tensor in recorder.framework.tensors_in(value):
            size, elements = self.inner, 0
            if recorder.magnitudes.measured:
                elements = math.prod(recorder.framework.shape_dtype(tensor)[0])
                for read in reads:
                    if read in self._values:
                        (largest, unit), others = self._values[read]
                        terms = max(1.0, others / max(1, elements))
                        size = size.joined(Size(largest, max(unit, math.sqrt(terms) * largest)))
            variable = f"argument {name}{place}" if argument else name + place
            snapshot = recorder.emit(tensor, variable, function=self._code.co_name, frame=self._number, site=site,
                                     call=self._call, size=size, called=self._caller)
            self._note(name, snapshot.largest, size, elements, place)
            if snapshot.tensor is not tensor:
                replacements[place] = snapshot.tensor
        if recorder.stage == "data":  # pictures and arrays on their way into a batch
            for place, array in pixels_in(value):
                recorder.emit_pixels(array, f"argument {name}{place}" if argument else name + place, self._code.co_name,
                                     self._number, site, self._caller)
        return replacements

    def _note(self, name: str, largest: float, size: Size, elements: int, place: str) -> None:
        # The unit of what went in stays with the value: rounding does not vanish by being assigned.
        value = Size(largest, max(size.unit, largest)), elements
        if place and name in self._values:
            known = self._values[name]
            value = known[0].joined(value[0]), max(known[1], elements)
        self._values[name] = value

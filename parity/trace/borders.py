"""The borders of modules: what each call is given, and what it returns."""

from __future__ import annotations

import functools
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from parity.frameworks.nests import Unknown, as_array, gone_through, leaves
from parity.numbers.arrays import largest_magnitude, rounds
from parity.trace.events import Event, Key
from parity.trace.lines import Call
from parity.trace.magnitudes import Size
from parity.trace.side import Run, Side
from parity.trace.source import Site

if TYPE_CHECKING:
    from parity.trace.recorder import Recorder


class Borders:
    """Emits, through its recorder, the inputs and outputs of each module call.

    calls: those in progress, the innermost last; the first stands for what is outside of any. left: module path -> place in the
    order of its latest return. inputs: id of a tensor that the program itself is given -> its place among them, which is the same
    on both sides whatever the argument is called there. results: access paths of what the program itself returned last -> those of
    the reference.
    """

    def __init__(self, recorder: Recorder, side: Side, run: Run) -> None:
        self._recorder, self._side, self._run, self._framework = recorder, side, run, side.framework
        self.calls: list[Call] = [Call("", 0, None)]
        self.left: dict[str, int] = {}
        self.inputs: dict[int, str] = {}
        self.results: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._again: set[str] = set()  # modules that a backward called
        self._shared: list[tuple[str, Any, int]] = []  # what modules returned of memory that others see, too, and its version then

    def apart(self) -> set[str]:
        """Paths of modules whose results no replay can replace: that returned memory of others, into which something was written
        later, or that a backward called once more, from which results would be its own."""
        written = {path for path, tensor, version in self._shared if self._framework.version_of(tensor) != version}
        return written | self._again

    def clear(self) -> None:
        """Let go of what the program computed."""
        self._shared.clear()

    def innermost(self) -> Call:
        """The call in progress; none of a recomputation that has ended without leaving its modules."""
        while self.calls[-1].again and not self._framework.recomputing():
            self.calls.pop()
        return self.calls[-1]

    def before(self, path: str) -> Callable[[Any, tuple, dict], tuple | None]:
        def hook(module: Any, inputs: tuple, keywords: dict) -> tuple | None:
            if self._recorder.is_blind:
                return None
            if self._framework.recomputing():
                self._again.add(path)
                self.calls.append(Call(path, 0, module, again=True))
                return None
            called = self._side.source.site(sys._getframe(1))
            site = self._handed_at(called)
            call = Call(path, self._numbers[path], module, called=called)
            self._numbers[path] += 1
            self.calls.append(call)
            ragged = self._framework.ragged(module, inputs)
            handed, righted = [], False
            for argument, given in arguments(module, inputs, keywords):
                replacements = {}
                for place, tensor in self._framework.tensors_in(given, argument):
                    if ragged and place.startswith("[0]"):
                        continue
                    own, place = place, self.inputs.get(id(tensor), place) if path == self._side.name else place
                    snapshot = self._recorder.emit(tensor, f"input{place}", function="", frame=0, site=site, call=call,
                                                   summed=self._recorder.magnitudes.dot_terms(module)[1])
                    call.entered = max(call.entered, snapshot.largest)
                    if snapshot.tensor is not tensor:
                        replacements[own.removeprefix(argument)] = snapshot.tensor
                handed.append(self._framework.replace_tensors(given, replacements) if replacements else given)
                righted |= bool(replacements)
            return (tuple(handed[:len(inputs)]), dict(zip(keywords, handed[len(inputs):], strict=True))) if righted else None

        return hook

    def after(self, module: Any, inputs: tuple, outputs: Any) -> Any:
        if self._recorder.is_blind:
            return None
        if self.calls[-1].again:
            while self.calls.pop().module is not module:  # a recomputation ends as soon as it has what it needs
                pass
            return None
        given = outputs
        if self.calls[-1].path == self._side.name:  # what the program itself returns can be gone through here, and only once
            outputs = gone_through(outputs)
        call = self.calls.pop()
        while call.module is not module:  # a call inside raised, and the program went on
            call = self.calls.pop()
        built = self._side.sites.of(module)
        library = not self._side.source.defines(module)
        of_library = library or self._side.source.hands_to_library(module, call.returned)
        site = (built or call.called) if of_library else (call.returned or built or call.called)
        parts = list(leaves(outputs, self._framework.is_tensor, objects=True))
        ragged = self._framework.ragged(module, inputs)
        returned = [(place, part) for place, part in parts if self._framework.is_tensor(part)
                    and not (ragged and place.startswith("[0]"))]
        names = self._names(call, [place for place, part in parts if part is not None])
        single = self._side.paths is not None and len(returned) == 1  # `y` of one framework may be `(y, None)` of the other
        variables = ["output"] if single else [f"output{names[place]}" for place, _ in returned]
        if self._run.results is not None and call.path != self._side.name:
            variables = self._run.results.variables(call.path, call.number, variables)
        entered = [tensor for _, tensor in self._framework.tensors_in(inputs)]
        # Before the recorder holds them, too.
        handed = [(place, tensor, self._handed(tensor), self._framework.shares_memory(tensor, entered))
                  for place, tensor in returned]
        size = self._size(call, inputs, outputs) if self._run.measure else Size()
        replacements = {}
        for (place, tensor, observable, shared), variable in zip(handed, variables, strict=True):
            snapshot = self._recorder.emit(observable, variable, function="", frame=0, site=site, call=call, built=built, size=size,
                                           border=True)
            if snapshot.tensor is not tensor:
                replacements[place] = snapshot.tensor
            elif shared:
                self._shared.append((call.path, tensor, snapshot.version))
        for place, part in parts:
            if part is not None and not self._framework.is_tensor(part):
                self._emit_number(f"output{names[place]}", part, call, site, built, size)
        self._recorder.hand_up(size)
        self.left[call.path] = self._recorder.order
        self._recorder.magnitudes.module_left(call.path, call.entered)
        return self._framework.replace_tensors(outputs, replacements) if replacements else None if outputs is given else outputs

    def _handed_at(self, called: Site | None) -> Site | None:
        """The line that decides what a call is given: the user's that makes it; of one that a library's layer makes inside of
        itself, the line that built that layer."""
        around = self.calls[-1]
        if around.module is None or around.called != called or self._side.source.defines(around.module):
            return called
        return self._side.sites.of(around.module) or called

    def pass_on(self, module: Any, inputs: tuple, outputs: Any) -> Any:
        """Of a module without a partner: nothing of it is shown, but what it returns is handed on as what others return is, so that
        a write in place to it (an instance norm, then ReLU(True)) hides no gradient from the module that writes."""
        if self._recorder.is_blind or self._framework.recomputing():
            return None
        replacements = {place: observable for place, tensor in self._framework.tensors_in(outputs)
                        if (observable := self._framework.observable(tensor)) is not tensor}
        return self._framework.replace_tensors(outputs, replacements) if replacements else None

    def _handed(self, tensor: Any) -> Any:
        """What the program goes on with. A parameter that is returned is seen apart from its other uses."""
        own = id(tensor) in self._recorder.parameter_names
        return self._framework.clone(tensor) if own else self._framework.observable(tensor)

    def _names(self, call: Call, places: list[str]) -> dict[str, str]:
        """The access paths of what a module returns, as the reference has them."""
        named = self._run.results
        whole = call.path == self._side.name  # the program itself: both sides return there
        known = (dict(zip(places, places, strict=True)) if named is None
                 else named.named(call.path, call.number, places, waits=whole))
        if whole:
            self.results = known
        return known

    def _emit_number(self, variable: str, part: Any, call: Call, site: Site | None, built: Site | None, size: Size) -> None:
        """Emit a result that is no tensor: a number, a text; or that there is one of a kind that cannot be compared."""
        array, unknown = None, None
        try:
            array = as_array(part)
        except Unknown as error:
            unknown = str(error)
        largest = largest_magnitude(array) if self._run.measure and array is not None and rounds(array.dtype) else None
        key = Key(self._recorder.stage, self._run.step, self._recorder.phase, call.path, call.number, "", 0, variable, 0)
        self._recorder.send(Event(key, self._recorder.place(), site, array, built, call.called,
                         *size.joined(Size(largest or 0.0, largest or 0.0)), largest, unknown=unknown))

    def _size(self, call: Call, inputs: tuple, outputs: Any) -> Size:
        largest = max((self._recorder.snapshot(tensor).largest for _, tensor in self._framework.tensors_in(outputs)), default=0.0)
        return self._recorder.magnitudes.of_module(call.module, call.entered, call.size, inputs, outputs, largest)


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

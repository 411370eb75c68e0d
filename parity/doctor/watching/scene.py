"""What the parts of the watch share: the program, the iteration in progress, the clock, and how far things have come."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from parity.doctor.lines import Lines
from parity.doctor.places import binding_site, variable_of
from parity.doctor.program import Program
from parity.doctor.record import Iteration
from parity.trace.source import Site

_CHECKPOINTS = ("checkpoint", "recompute")  # files of torch and Paddle that run a forward without gradients, and again for them


class Scene:
    """current: the iteration in progress, None where nothing is to be seen. ticks: the clock of events.

    work_begins: called before anything that may be the first of an iteration. running: modules in progress, the outermost first;
    last_network: the one that was called last.
    in_step: an optimizer is stepping. backward: tick of the backward that is going on. last_forward: network -> tick of its latest
    forward with a graph. last_change: network -> tick and line of its latest update. failure: what ended the watch, where it failed
    itself.
    """

    def __init__(self, program: Program, work_begins: Callable[[], None]) -> None:
        self.program, self.framework, self.work_begins = program, program.framework, work_begins
        self.current: Iteration | None = None
        self.failure: Exception | None = None
        self.ticks = 0
        self.lines = Lines(self.framework, program.source, self.tick, self.fail)
        self.running: list[str] = []
        self.last_network = ""
        self.in_step = False
        self.backward: int | None = None
        self.last_forward: dict[str, int] = {}
        self.last_change: dict[str, tuple[int, Site | None]] = {}
        self._last_layer: tuple[Callable[[], Any], str] = (lambda: None), ""

    def enter(self, iteration: Iteration | None) -> None:
        """What is seen from now on belongs to this iteration; None: to none."""
        self.current = self.lines.iteration = iteration

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    def site(self, skip_self: object = None) -> Site | None:
        """The innermost line of the user's that is running (not in a function of `skip_self`)."""
        return self.program.source.site(sys._getframe(1), skip_self=skip_self)

    def recomputed_at(self) -> Site | None:
        """The user's line that has a library's checkpoint run a function, if one is at work: it switches gradients off."""
        frame, inside = sys._getframe(1), False
        while frame is not None:
            name = Path(frame.f_code.co_filename).stem
            inside |= name.startswith(_CHECKPOINTS)
            if inside and frame.f_code.co_filename in self.program.source:
                return Site(frame.f_code.co_filename, frame.f_lineno)
            frame = frame.f_back
        return None

    def binding(self, tensor: Any) -> Site | None:
        """The line of the user's function that is running which bound the tensor to a name."""
        return binding_site(self.program.source.innermost(sys._getframe(1)), tensor)

    def name_of(self, value: Any) -> str | None:
        """The variable of the user's function that is running, or global, that holds this."""
        return variable_of(self.program.source.innermost(sys._getframe(1)), value)

    def note_layer(self, path: str, outputs: Sequence[Any]) -> None:
        """What a layer gave last."""
        if len(outputs) == 1:
            self._last_layer = weakref.ref(outputs[0]), path

    def maker(self, tensor: Any) -> Site | None:
        """The line that built the layer which gave these probabilities, or that made them without one; None where neither was
        seen."""
        made, path = self._last_layer
        return self.program.site_of(path) if made() is tensor else self.lines.maker(tensor)

    def fail(self, error: Exception) -> None:
        """An error of the watch itself: it ends here, and the training goes on."""
        self.failure = self.failure or error
        self.current = None
        self.lines.give_up()

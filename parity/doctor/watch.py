"""Watching a training run without changing it, iteration by iteration. What is seen of it: `parity.doctor.watching`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from parity.doctor.arrays import checksum
from parity.doctor.program import Program
from parity.doctor.record import Iteration
from parity.doctor.watching.around_steps import AroundSteps
from parity.doctor.watching.cosines import Cosines
from parity.doctor.watching.draws import Draws
from parity.doctor.watching.dropouts import Dropouts
from parity.doctor.watching.functions import Functions
from parity.doctor.watching.gradients import Gradients
from parity.doctor.watching.layers import Layers
from parity.doctor.watching.losses import Losses
from parity.doctor.watching.modules import Modules
from parity.doctor.watching.probes import Probes
from parity.doctor.watching.pulls import Pulls
from parity.doctor.watching.reshapes import Reshapes
from parity.doctor.watching.scatters import Scatters
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.shares import Shares
from parity.doctor.watching.state import State
from parity.doctor.watching.updates import Updates
from parity.doctor.watching.wrappers import Wrappers

CLOSE = 2  # so many iterations at first are watched closely, and all after one with a NaN in it
MANY = 16  # steps in an iteration, at most, where the user marks none


def _kept(method: Callable) -> Callable:
    """A method of `Watch` whose own errors end the watch, and not the training."""
    @functools.wraps(method)
    def kept(self: Watch) -> None:
        try:
            method(self)
        except Exception as error:
            self._scene.fail(error)
    return kept


class Watch:
    """Iterations of a program, written down one after the other (`iterations`).

    close: number of iterations that are watched closely from the start. explicit: whether iterations are marked by the user's loop.
    most: how many are watched, all by default; at_end: called when there are so many.
    """

    def __init__(self, program: Program, *, close: int = CLOSE, most: int | None = None,
                 at_end: Callable[[], None] = lambda: None) -> None:
        self.program, self._close, self._most, self._at_end = program, close, most, at_end
        self.iterations: list[Iteration] = []
        self.explicit = False
        self._odd = self._over = False
        self._scene = scene = Scene(program, self._work_begins)
        self._state, self._layers, self._probes, gradients = State(scene), Layers(scene), Probes(scene), Gradients(scene)
        shares = Shares(scene)
        self._draws, self._cosines = Draws(scene), Cosines(scene)
        losses = Losses(scene, self._probes, shares, self._draws, self._cosines)
        updates = Updates(scene, gradients)
        self._modules = Modules(scene, self._layers, losses, self._state, self._probes,
                                self._draws)
        self._parts = (self._modules, losses, gradients, updates, AroundSteps(scene, updates), Reshapes(scene), Dropouts(scene),
                       shares, self._draws, self._cosines, Scatters(scene), Pulls(scene), Functions(scene))
        scene.lines.on_pair = shares.note_pair
        self._wrappers = Wrappers(scene)
        self._unheld = {name: checksum(program.framework.values(p)) for name, p in program.trainable().items()
                        if id(p) not in program.holders}

    @property
    def failure(self) -> Exception | None:
        """What ended the watch, where it failed itself."""
        return self._scene.failure

    @property
    def enough(self) -> bool:
        return self._most is not None and len(self.iterations) >= self._most

    @property
    def next_is_close(self) -> bool:
        return len(self.iterations) < self._close or self._odd

    @property
    def moved_by_hand(self) -> frozenset[str]:
        """Parameters that no optimizer held at the start and that have other values now."""
        now = self.program.parameters
        return frozenset(name for name, mark in self._unheld.items()
                         if name in now and checksum(self.program.framework.values(now[name])) != mark)

    def start(self, frame: FrameType | None = None) -> None:
        """Begin to watch. `frame`: the running function in which the training loop stands."""
        try:
            for part in self._parts:
                part.wrap(self._wrappers)
            self._scene.lines.start(frame)
            self._wrappers.on_close(self._scene.lines.stop)
        except BaseException:
            self._wrappers.close()
            raise
        self.begin()

    def stop(self) -> None:
        """End the watch; the program is as it was before."""
        if self._has_something():
            self.end()
        self._scene.enter(None)
        self._wrappers.close()
        self._look_again()

    def _look_again(self) -> None:
        """A group was added, say, in an iteration that was not watched closely. What comes after the watch is not looked at."""
        if not self._over and self.program.changed():
            self.program.refresh()
        self._over = self.enough

    @_kept
    def begin(self) -> None:
        if self.failure:
            return
        if self.enough:
            self._scene.lines.stop()
            self._scene.enter(None)
            return
        close, lines = self.next_is_close, self._scene.lines
        self._scene.enter(Iteration(len(self.iterations) + 1, close))
        lines.close = close
        lines.followed.clear()
        lines.squashed = None
        self._layers.begin()
        self._state.begin()

    @_kept
    def end(self) -> None:
        """The iteration is over: what state moved, what was odd."""
        iteration, program = self._scene.current, self.program
        if iteration is None:
            return
        self._state.end(iteration)
        for name, optimizer in program.optimizers.items():
            iteration.lrs[name] = program.framework.learning_rate(optimizer)
        self._layers.end(iteration)
        self._draws.end()
        self._cosines.end()
        self._modules.end(iteration)
        self._odd = self._odd or iteration.odd
        self.iterations.append(iteration)
        if iteration.number == self._close:
            program.note_loaders()
        program.files = [file for file, wanted in self._scene.lines.files.items() if wanted]
        if iteration.close:
            known = set(program.names)
            if program.changed():
                program.refresh()
                iteration.made += [(f"parameter {name}", None) for key, name in program.names.items() if key not in known]
                self._state.look_again()
        self._scene.enter(None)
        with self._scene.lines.paused:
            self._probes.end(iteration)

    def mark(self) -> None:
        """An iteration ends here and another begins."""
        if self._has_something():
            self.end()
            if self.enough:
                self._look_again()
                self.begin()
                self._at_end()
        if self._scene.current is None:
            self.begin()

    @contextmanager
    def again(self, back: int) -> Iterator[None]:
        """While active, the iteration so many back (1: the latest) is run a second time, and every call is watched closely.

        Of what it shows only the values that are not finite are kept, and only if there are any: it is no iteration of its own.
        """
        first, lines = self.iterations[-back], self._scene.lines
        self._odd = lines.every_call = True
        self.begin()
        try:
            yield
        finally:
            self.end()
            lines.every_call = False
            second = None if self.failure else self.iterations.pop()
            if second is not None and second.odd:
                first.nonfinite, first.bad_parameters, first.passed = second.nonfinite, second.bad_parameters, second.passed
                first.again = True

    def _has_something(self) -> bool:
        current = self._scene.current
        return current is not None and bool(current.steps or current.backwards or current.modules)

    def _work_begins(self) -> None:
        """Without marks of the user's, an iteration is over once all optimizers have stepped and work begins again."""
        if self._scene.in_step:  # a closure, which the step itself calls
            return
        steps = self._scene.current.steps
        skipped = not steps and self._scene.current.amp["step"]  # by a gradient scaler
        if not self.explicit and (skipped or len(steps) >= MANY or (
                steps and self.program.covered(frozenset(step.optimizer for step in steps)))):
            self.mark()

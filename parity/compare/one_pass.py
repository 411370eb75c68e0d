"""Both programs at once, taking turns: each value is compared as soon as both have computed it, and kept by neither.

The two run in two threads, of which one is awake at a time. A program that has computed a value which the other has not shown yet
hands over its turn; one that finds the other's value waiting has both compared on the spot and goes on. So programs that do the
same things in the same order copy nothing: a program waits together with its value. Only where it goes on before the value has
been compared, as when it gets its turn back or the value is small, it leaves a copy behind: the next line may overwrite the memory.

A copy waits no longer than it can still find its partner: a local variable until both sides have left the module call that
it belongs to; and the gradient of a value that found none waits not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from parity.files import InputError
from parity.heap import give_back
from parity.numbers.arrays import rounds
from parity.numbers.noise import M
from parity.numbers.strata import floor_at
from parity.trace.events import Event, Key
from parity.trace.randomness import kept_for_later
from parity.verdict.floors import own_rounding
from parity.verdict.judge import is_result, is_seen
from parity.verdict.sinks import Against, Store, weakly

LARGE = 1 << 24  # bytes: for `heap.keep_freed`, of a process that compares in this way (docs/cost.md)


class Interleaved:
    """Compares two runs value by value as they go, each value in units of its own operation's rounding.

    dtype: of the lane. truth: the reference's events, without their arrays; floors, against: what a `Judge` needs beside it,
    complete when `run` has returned. blank: whether no result of module `name` holds any number (all are empty or NaN).
    keeps: the truth keeps its arrays, for runs to come (in memory and on disk, as a `Store` does). left: where it does not, those
    of the reference's values that the pass leaves open, for a noise draw over these alone; None where they are too many.
    """

    MOST = 1 << 30  # bytes left open: with more, a pass has found more than rounding

    AHEAD = 1 << 22  # bytes that wait before a program hands over: small values come many at a turn
    GIVE_BACK_EVERY = 3 << 28  # bytes compared: more often costs time, more rarely memory (docs/cost.md)

    def __init__(self, name: str, dtype: str, *, keeps: bool = False) -> None:
        self.truth, self.keeps = Store(), keeps
        self.left: Store | None = None if keeps else Store()
        self.floors: dict[Key, float] = {}
        self.against = Against(self.truth, self.floors, float("inf"), release=True)  # inf: no arrays are kept aside
        self._passed = 0  # bytes since memory was last given back
        self._eps = float(np.finfo(dtype).eps)
        self._turns = _Turns()
        self._waiting: tuple[dict[Key, Event], dict[Key, Event]] = ({}, {})
        self._inside: tuple[dict[tuple, list[Key]], ...] = ({}, {})  # module call -> its locals that wait, or have waited
        self._ahead = [0, 0]  # bytes that wait
        self._copies = (_Copies(), _Copies())
        self._theirs: list[Key] = []  # in the order of the twin
        self._lonely: dict[Key, Event] = {}  # of the twin
        self.name, self.results, self.blank = name, 0, True

    def run(self, reference: Callable[[_Side], None], twin: Callable[[_Side], Exception | None]) -> Exception | None:
        """Runs both; each is handed the sink to record into. The reference runs in the caller's thread; the twin hands back what
        its program raised. Whatever either raises goes to the caller."""
        handed_back: list[Exception | None] = []
        raised: list[BaseException] = []

        def follow() -> None:
            self._turns.wait(1)
            try:
                handed_back.append(twin(_Side(self, 1)))
            except BaseException as error:  # that of a thread reaches nobody
                raised.append(error)
            finally:
                self._turns.end(1)

        thread = threading.Thread(target=follow, name="twin")
        thread.start()
        try:
            reference(_Side(self, 0))
        finally:
            self._turns.end(0)
            thread.join()
        if raised:
            raise raised[0]
        self._settle()
        return handed_back[0]

    def more(self) -> bool:
        """For the twin: lets the reference go on, that it may come to draw what the twin asks for; False where it has ended."""
        if self._turns.ended[0]:
            return False
        self._turns.hand_over(1)
        return True

    def receive(self, side: int, event: Event) -> None:
        if side:
            self._theirs.append(event.key)
        partner = self._waiting[1 - side].pop(event.key, None)
        if partner is not None:
            self._ahead[1 - side] -= _bytes(partner)
            self._meet(*((partner, event) if side else (event, partner)))
        elif self._turns.ended[1 - side] or self._hopeless(side, event.key):
            self._alone(side, event)
        else:
            key = event.key
            self._waiting[side][key] = event
            if key.is_local and key.stage != "gradients":
                self._inside[side].setdefault((key.step, key.module, key.call), []).append(key)
            self._ahead[side] += _bytes(event)
            if self._ahead[side] > self.AHEAD:
                self._turns.hand_over(side)
            if event.key in self._waiting[side]:
                event.array = self._copies[side].of(event.array)

    def _meet(self, reference: Event, twin: Event) -> None:
        self._passed += _bytes(reference) + _bytes(twin)
        if self._passed > self.GIVE_BACK_EVERY:
            self._passed = 0
            give_back()
        array = reference.array
        self._enter(reference)
        self.against.receive(twin)
        self._keep(reference, array)
        if self.left is not None and self._is_open(reference):
            self._leave(replace(reference, array=array))
        if reference.key.variable.startswith("output") and reference.key.stage != "gradients":
            self._close(reference.key)

    def _close(self, key: Key) -> None:
        """Both sides have left this module call: its locals that still wait will find no partner."""
        for side in (0, 1):
            for other in self._inside[side].pop((key.step, key.module, key.call), ()):
                event = self._waiting[side].pop(other, None)
                if event is not None:
                    self._ahead[side] -= _bytes(event)
                    self._alone(side, event)

    def _alone(self, side: int, event: Event) -> None:
        """An event that has no partner; of its values, where none are kept, no more stays than whether a gradient is zero."""
        if side or not self.keeps:
            event.array = _no_more_than_zeros(event)
        if side == 0:
            self._enter(event)
            self._keep(event, event.array)
        elif event.array is None:
            self._lonely[event.key] = event

    def _enter(self, event: Event) -> None:
        self.floors[event.key] = own_rounding(event, self._eps)
        if is_result(event.key, self.name):
            self.results += 1
            self.blank = self.blank and is_blank(event.array)
        self.truth.events[event.key] = event

    def _keep(self, event: Event, array: np.ndarray | None) -> None:
        """Where values are kept for later: this one, which may be the program's own memory, now that it has been compared."""
        if self.keeps:
            event.array = array
            self.truth.receive(event, copy=True)

    def _is_open(self, event: Event) -> bool:
        """Whether a value that both have is farther apart than its own rounding, or so large a rounding that nothing was seen. Of
        another shape or kind no draw tells."""
        found = self.against.matched[event.key][1]
        if found.trouble is not None:
            return False
        return found.distance > M * floor_at(self.floors[event.key], found.stratum) or not is_seen(event, found)

    def _leave(self, event: Event) -> None:
        try:
            self.left.receive(event, copy=True)
        except InputError:  # the disk is full; the pass itself needs none
            self.left = None
        else:
            self.left = self.left if self.left.nbytes <= self.MOST else None

    def _hopeless(self, side: int, key: Key) -> bool:
        """Whether this is the gradient of a value that has no partner on the other side."""
        if not key.is_activation_gradient:
            return False
        value = key._replace(variable=key.variable.partition(" (backward")[0])
        return not any(value._replace(stage=stage) in where for stage in ("forward", "losses")
                       for where in (self.against.matched, self._waiting[side]))

    def _settle(self) -> None:
        """Both runs are over: what still waits has no partner."""
        for side in (0, 1):
            for event in self._waiting[side].values():
                self._alone(side, event)
            self._waiting[side].clear()
        last = None
        for key in self._theirs:
            if key in self._lonely:
                self.against.extra.append((self._lonely.pop(key), last))
            elif key in self.against.matched:
                last = key


def _bytes(event: Event) -> int:
    return 0 if event.array is None else event.array.nbytes


class _Side:
    """The sink of one of the two runs."""

    keeps = False

    def __init__(self, meeting: Interleaved, side: int) -> None:
        self._meeting, self._side, self.apart = meeting, side, meeting.truth.apart

    def receive(self, event: Event) -> None:
        self._meeting.receive(self._side, event)


class _Turns:
    """Of two threads, one runs at a time: 0 at first."""

    def __init__(self) -> None:
        self._mine = (threading.Semaphore(0), threading.Semaphore(0))
        self.ended = [False, False]

    def wait(self, side: int) -> None:
        self._mine[side].acquire()

    def hand_over(self, side: int) -> None:
        """Let the other run; returns when it has handed back, or has ended."""
        with kept_for_later():
            self._mine[1 - side].release()
            self._mine[side].acquire()

    def end(self, side: int) -> None:
        self.ended[side] = True
        self._mine[1 - side].release()


class _Copies:
    """Copies arrays, one that comes several times in a row (a value of several names) only once."""

    def __init__(self) -> None:
        self._array = self._copy = weakly(None)

    def of(self, array: np.ndarray | None) -> np.ndarray | None:
        if array is None:
            return None
        copy = self._copy() if self._array() is array else None
        if copy is None:
            copy = array.copy()
            self._array, self._copy = weakly(array), weakly(copy)
        return copy


def is_blank(array: np.ndarray | None) -> bool:
    """Whether there is nothing in it to compare: it is of an unknown kind, empty, or NaN everywhere."""
    return array is None or array.size == 0 or (rounds(array.dtype) and bool(np.isnan(array).all()))


def _no_more_than_zeros(event: Event) -> np.ndarray | None:
    """Where the event is the gradient of an activation and zero everywhere, the same zeros without their memory; else None."""
    array = event.array
    if not event.key.is_activation_gradient or array is None or array.any():
        return None
    return np.broadcast_to(np.zeros((), array.dtype), array.shape)

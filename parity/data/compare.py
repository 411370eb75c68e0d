"""Two data pipelines side by side: orders, samples, batches; or items, where a side is a stream."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from parity.asked import SIDES
from parity.blame import hand_on, in_words, is_users, place_of, refusing
from parity.data import orders
from parity.data.chain import Followed, Made
from parity.data.differ import differs, finding, paired
from parity.data.draws import Draws
from parity.data.findings import BATCH, ITEM, LENGTH, ORDER, RAISED, SAMPLE, DataSummary, Discrepancy
from parity.data.written import name_of, sources
from parity.declare.data import Data
from parity.files import InputError
from parity.frameworks import FRAMEWORKS
from parity.frameworks.host_random import Held
from parity.frameworks.loaders import Parts, parts_of
from parity.trace.source import Site

_END = object()  # of a stream
SAMPLES = 32
MOST_BATCHES = 1_000_000  # of an order that does not end
REMEMBERED = 1 << 26  # bytes of samples that are kept to find one again elsewhere


class _Raised(Exception):
    """The twin's code raised. site: where in the user's files."""

    def __init__(self, error: BaseException, site: Site | None) -> None:
        super().__init__(in_words(error))
        self.site = site


class _Side:
    """One pipeline: builds it, and makes what is asked for, with the random numbers of the place."""

    def __init__(self, build: Callable[[], Any], side: int, draws: Draws, seed: int) -> None:
        self.number, self._draws, self.framework = side, draws, FRAMEWORKS[side]
        self.source = sources(build, ())
        with (self.framework.seeded(seed), draws.at(("built",), side, self.source, Held()),
              refusing(f"Data, {SIDES[side]}", cannot="it cannot be built", advice="call it alone to see more")):
            made = hand_on(build)
        parts = parts_of(made)
        if parts is None:
            raise InputError(f"Data, {SIDES[side]}: expected a DataLoader, a dataset, a sequence, an iterable, or a function that "
                             f"returns an iterator, found {type(made).__qualname__}")
        self.parts: Parts = parts
        self.source = sources(build, parts.objects)
        self._followed, self._held = Followed(self.framework, self.source), Held()

    def make(self, place: tuple, function: Callable[[], Any]) -> Made:
        """What the function makes, followed. Raises InputError where the reference's code raises, _Raised where the twin's does."""
        with self._running(place):
            return self._followed.run(function)

    def order(self, epoch: int) -> list[list[Any]]:
        """The numbers of an epoch, batch by batch."""
        with self._running(("order", epoch)):
            return list(itertools.islice(self.parts.numbers(), MOST_BATCHES))

    @contextmanager
    def _running(self, place: tuple) -> Iterator[None]:
        """The side's code, with the random numbers of a place."""
        with self._draws.at(place, self.number, self.source, self._held):
            try:
                if self.number:
                    yield
                else:
                    with refusing("Data, reference", self.source, cannot="it cannot be read", advice="read it alone to see more"):
                        yield
            except (Exception, SystemExit) as error:
                if not self.number or not (isinstance(error, SystemExit) or is_users(error, self.source)):
                    raise
                site = place_of(error, self.source)
                raise _Raised(error, Site(*site) if site else None) from error


def compare(data: Data, *, samples: int = SAMPLES, seed: int = 0, told: Callable[[int], None] = lambda done: None) -> DataSummary:
    """Compare two data pipelines: the order of each epoch whole, then its first `samples` samples, and the batches that are
    made of these.

    told: called with how many samples, of all epochs, have been compared. Raises InputError (the reference raises, a side is no
    pipeline), NothingCompared.
    """
    draws, summary = Draws(seed), DataSummary(data.title)
    try:
        sides = tuple(_Side(build, side, draws, seed) for side, build in enumerate((data.reference, data.twin)))
        run = _Run(sides, draws, summary, samples, told)
        (run.by_number if all(side.parts.stream is None for side in sides) else run.as_streams)(data.epochs)
    except _Raised as raised:
        summary.findings.append(Discrepancy(RAISED, 0, "the twin", f"it raises {raised}", sites=(None, raised.site)))
    summary.check()
    return summary


class _Run:
    """One comparison."""

    def __init__(self, sides: tuple[_Side, ...], draws: Draws, summary: DataSummary, samples: int,
                 told: Callable[[int], None]) -> None:
        self._sides, self._draws, self._summary, self._samples, self._told = sides, draws, summary, samples, told
        self._seen: list[tuple[str, Made]] = []  # samples of the reference, to be found again elsewhere
        self._lost: tuple[int, Made] | None = None  # (number of the finding, what the twin made) of a sample to be looked for
        self._bytes, self._remarked = 0, set()

    # --- both by number ------------------------------------------------------------------------------------------

    def by_number(self, epochs: int) -> None:
        counts = [side.parts.count for side in self._sides]
        if counts[0] != counts[1]:
            self._add(Discrepancy(LENGTH, 0, "the datasets", f"{counts[0]} samples in the reference, {counts[1]} in the twin"))
        earlier = None
        for epoch in range(1, epochs + 1):
            both = tuple(side.order(epoch) for side in self._sides)
            self._summary.compared["orders"] += 1
            found = orders.difference(*both, earlier)
            if found is not None:
                self._add(Discrepancy(ORDER, epoch, f"epoch {epoch}, the order", *found))
            self._epoch(epoch, *both)
            earlier = both

    def _epoch(self, epoch: int, reference: list[list[Any]], twin: list[list[Any]]) -> None:
        self._seen, self._bytes = [], 0
        left, times = self._samples, {}
        for place, numbers in enumerate(reference):
            made, same = [], True
            for number in numbers[:left]:
                name = f"epoch {epoch}, sample {number}"
                again = times[repr(number)] = times.get(repr(number), -1) + 1
                two = self._two((SAMPLE, epoch, number, again), lambda side, number=number: side.parts.sample(number))
                self._told(1)
                made.append(two)
                same &= self._judge(SAMPLE, epoch, name, *two, draws=(SAMPLE, epoch, number, again))
            left -= len(made)
            batched = all(side.parts.collate is not None for side in self._sides)
            if batched and same and len(made) == len(numbers) and place < len(twin) and list(twin[place]) == list(numbers):
                batch = self._two((BATCH, epoch, place), lambda side, made=made: hand_on(
                    side.parts.collate, [two[side.number].value for two in made]))
                self._judge(BATCH, epoch, f"epoch {epoch}, batch {place + 1}", *batch, draws=(BATCH, epoch, place))
            if left <= 0:
                break
        self._elsewhere()

    # --- streams -------------------------------------------------------------------------------------------------

    def as_streams(self, epochs: int) -> None:
        once = [side.parts.once for side in self._sides]
        if any(once) and epochs > 1:
            self._summary.remarks.append(f"the {SIDES[once.index(True)]} can be read once only: one epoch was compared")
            epochs = 1
        for epoch in range(1, epochs + 1):
            self._seen, self._bytes = [], 0
            streams = tuple(side.parts.items() for side in self._sides)
            for number in range(self._samples):
                place = (ITEM, epoch, number)
                two = [self._next(side, stream, place) for side, stream in zip(self._sides, streams, strict=True)]
                ended = [one is None for one in two]
                if any(ended):
                    if not all(ended):
                        side, other = ("reference", "twin") if ended[0] else ("twin", "reference")
                        self._add(Discrepancy(LENGTH, epoch, f"epoch {epoch}",
                                          f"the {side} ends after {number} items, the {other} goes on",
                                          "the last batch is dropped on one side (drop_last), or one side has less"))
                    break
                self._told(1)
                self._judge(ITEM, epoch, f"epoch {epoch}, item {number + 1}", *two, draws=place)
            self._elsewhere()

    def _next(self, side: _Side, stream: Iterator[Any], place: tuple) -> Made | None:
        made = side.make(place, lambda: next(stream, _END))
        return None if made.value is _END else made

    # --- both ----------------------------------------------------------------------------------------------------

    def _two(self, place: tuple, make: Callable[[_Side], Any]) -> tuple[Made, Made]:
        return tuple(side.make(place, lambda side=side: make(side)) for side in self._sides)

    def _judge(self, kind: str, epoch: int, place: str, ours: Made, theirs: Made, draws: tuple) -> bool:
        """Whether the two are the same; what differs is noted."""
        plural = {SAMPLE: "samples", BATCH: "batches", ITEM: "items"}[kind]
        self._summary.compared[plural] += 1
        self._remark(ours, theirs)
        found = finding(kind, epoch, place, ours, theirs, self._draws.places.get(draws),
                        f"{name_of(self._sides[1].parts.collate)}()" if kind == BATCH else None)
        if kind != BATCH:
            self._remember(place, ours)
        if found is None:
            return True
        if kind != BATCH and found.before is None and not self._summary.odd.get(plural):
            self._lost = len(self._summary.findings), theirs
        self._summary.odd[plural] = self._summary.odd.get(plural, 0) + 1
        self._add(found)
        return False

    def _elsewhere(self) -> None:
        """The first sample that differs from its first step on may be another one of the reference's."""
        place, theirs = self._lost or (0, None)
        found = self._summary.findings[place] if theirs is not None else None
        self._lost = None
        other = next((name for name, ours in self._seen if found is not None and name != found.place and _is(ours, theirs)), None)
        if other is not None:
            cause = f"it is the reference's {other.partition(', ')[2]}: the same in another order (are files listed otherwise?)"
            self._summary.findings[place] = replace(found, cause=cause)

    def _remember(self, place: str, made: Made) -> None:
        size = sum(one.nbytes for one in made.arrays.values() if one is not None)
        if self._bytes + size <= REMEMBERED:
            self._bytes += size
            self._seen.append((place, Made(None, made.arrays, made.steps[:1], {})))

    def _remark(self, ours: Made, theirs: Made) -> None:
        for side, made in zip(SIDES, (ours, theirs), strict=True):
            for path, kind in made.unknown.items():
                self._say_once(f"{path or 'what is handed out'} is a {kind} in the {side}, which cannot be compared")
        for path, (left, right) in paired(ours, theirs)[0]:
            if left is not None and right is not None and left.dtype != right.dtype and left.dtype.kind == right.dtype.kind and (
                    left.dtype.kind in "fiu"):
                self._say_once(f"{path or 'what is handed out'} is {left.dtype} in the reference, {right.dtype} in the twin")

    def _say_once(self, text: str) -> None:
        if text not in self._remarked:
            self._remarked.add(text)
            self._summary.remarks.append(text)

    def _add(self, found: Discrepancy) -> None:
        self._summary.findings.append(found)


def _is(ours: Made, theirs: Made) -> bool:
    """Whether the one is the other: as it came in, where that was seen (what is drawn for it may be another number's), or went
    out."""
    both, structure = paired(ours, theirs)
    came = [(ours.steps[0].array, theirs.steps[0].array)] if ours.steps and theirs.steps else []
    went = [] if structure is not None else [arrays for _, arrays in both]
    return any(found and any(one is not None and one.size >= 8 for one, _ in found) and all(
        differs(arrays, max(ours.largest, theirs.largest)) is None for arrays in found) for found in (came, went))


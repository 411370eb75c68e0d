"""Finding what is wrong, righting it in every way that tells something, and what that comes to: an `Explanation`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import dedent
from typing import Any

from parity.explain.effects import Effect, Noise, distance, effect
from parity.files import InputError
from parity.mending import patches
from parity.mending.patches import Change
from parity.mending.search import Mend, Mends, Search, joined
from parity.mending.trial import Outcome, apart
from parity.messages import Message, say
from parity.report.circumstances import Circumstances
from parity.trace.source import Site

MOST = 16  # lines that are looked for, one after the other
SECONDS = 600.0  # that one version of the twin may take

Ran = Mapping[frozenset[int], Mapping[str, Any]]
"""Which lines are righted -> what was measured of that twin."""


@dataclass(frozen=True)
class Replaced:
    """Whole lines of the twin at a place: as they stand there, and as the reference's statement, said in Paddle, has them."""

    site: Site
    wrong: str
    right: str


@dataclass(frozen=True)
class Part:
    """One line that is wrong. number: from 1, in the order in which they were found. found: the story of its finding. hidden_by:
    the numbers of the lines without whose righting it was not found to be wrong by itself.

    effect: on a training. values: of one forward and backward: (of those that differ in the twin as it is so many agree again
    where this line alone is righted, so many differ where it alone is wrong).
    """

    number: int
    found: str
    reference: Site | None
    twin: Site | None
    replaced: tuple[Replaced, ...]
    hidden_by: tuple[int, ...]
    effect: Effect | None = None
    values: tuple[int, int] | None = None

    @property
    def line(self) -> Site | None:
        return self.replaced[0].site if self.replaced else self.twin or self.reference

    @property
    def harmless(self) -> bool:
        return self.effect.harmless if self.effect is not None else self.values == (0, 0)


@dataclass
class Explanation:
    """All that was found. before: the comparison as it is; after: with all lines righted. steps: of the training; None: one forward
    and backward. differing: values that differ in the twin as it is, and of how many compared. total: the training's losses as it
    is beside the reference's. left: the same with all lines righted. noise: of float64, relative."""

    title: str
    before: Outcome
    after: Outcome
    steps: int | None
    parts: tuple[Part, ...] = ()
    total: float | None = None
    left: float | None = None
    noises: Mapping[str, Noise] = field(default_factory=dict)
    differing: tuple[int, int] | None = None
    seconds: float = 0.0
    nearest: str | None = None
    circumstances: Circumstances = field(default_factory=Circumstances)

    @property
    def verdict(self) -> str:
        return self.before.verdict

    @property
    def complete(self) -> bool:
        """Whether everything agrees once all lines are righted."""
        return self.after.verdict == "same"

    @property
    def ranked(self) -> list[Part]:
        """The largest effect first."""
        def size(part: Part) -> float:
            return part.effect.alone if part.effect is not None else float(part.values[1]) if part.values else 0.0
        return sorted(self.parts, key=lambda part: (-size(part), part.number))

    def sentence(self) -> Message:
        """The answer in one sentence."""
        if self.verdict == "same":
            return say("Nothing to explain: the two are the same, {count} values compared.", count=self.before.compared)
        if self.verdict == "undecided":
            return say("Nothing can be explained yet: {why}", why=self.before.said)
        if not self.parts:
            return say("Not explained: no statement was found that rights the first place. {why}",
                       why=self.before.remains or self.before.said)
        if not self.complete:
            return say("Explained in part: with {lines} righted something is left. {why}",
                       why=self.after.remains or self.after.said, lines=", ".join(str(part.line) for part in self.ranked))
        return say("Explained: {lines}.", lines=self._lines())

    def _lines(self) -> Message:
        """What the lines do, the worst of them first."""
        first, count = self.ranked[0], len(self.parts)
        values: dict[str, Any] = {"count": count, "line": str(first.line)}
        if self.steps is None or first.effect is None:
            values |= {"differing": first.values[1] if first.values else 0, "all": self.differing[0] if self.differing else 0}
            if count == 1:
                return say("{line} alone accounts for everything behind it ({all} of {all} values agree once it is right)",
                           **values)
            return say("{count} lines account for all {all} values that differ; most is done by {line}: alone it makes {differing} "
                       "differ", **values)
        harmless = sum(part.harmless for part in self.parts)
        moves = say("it moves a loss by {effect:.2g} of its size in {steps} steps, rounding by {noise:.1g}", steps=self.steps,
                    effect=first.effect.alone, noise=self.noises["float64"].largest)
        if harmless == count:
            return say("what differs changes no loss and no update in {steps} steps, so it does no harm: {line}", steps=self.steps,
                       line=", ".join(str(part.line) for part in self.parts))
        if count == 1:
            return say("{line} alone accounts for all that differs; {moves}", moves=moves, **values)
        if not harmless:
            return say("{count} lines account for all that differs; most is done by {line}: alone {moves}", moves=moves, **values)
        return say("{count} lines account for all that differs, {harmless} of them without harm; most is done by {line}: alone "
                   "{moves}", harmless=harmless, moves=moves, **values)


def declared(pair: str) -> tuple[str, bool]:
    """What a pair file declares, asked in a process of its own: its title, and whether there is a training. Raises InputError."""
    def work() -> Mapping[str, Any]:
        from parity.declare import port as porting
        title, training = porting.declares(pair)
        return {"title": title, "training": training}

    told = apart(work, {}, seconds=SECONDS)
    if told.get("verdict") == "failed":
        raise InputError(told["said"].removeprefix("InputError: "))
    return told["title"], told["training"]


Tell = Callable[..., None]
"""As for `parity.mending.search`: what is to be told; with a number where it is only what is being tried."""


class Explaining:
    """One pair or training. load: as `Search` takes it. steps: of the training that it declares; None: one forward and backward."""

    def __init__(self, load: Callable[[int | None], Any], *, title: str, steps: int | None, budget: float,
                 tell: Tell = lambda what, trial=None: None) -> None:
        self._load, self._title, self._steps, self._tell = load, title, steps, tell
        self._search = Search(load, budget=budget, steps=steps, tell=tell, most=MOST, past=True)

    def run(self) -> Explanation:
        """Raises InputError where the two cannot be compared."""
        began = time.monotonic()
        mends = self._search.mends()
        explanation = self.of(mends)
        explanation.seconds = time.monotonic() - began
        return explanation

    def of(self, mends: Mends) -> Explanation:
        """What these come to."""
        self._search.prepare()
        after = mends.before
        if mends.found:
            self._tell("all lines righted: everything is compared")
            after = self._search.attempt(mends.changes, proof=True)
        explanation = Explanation(self._title, mends.before, after, self._steps, nearest=mends.nearest)
        if not mends.found:
            return explanation
        ran = self._ran(mends.found)
        parts = list(_parts(mends, self._search.original))
        if self._steps is None:
            as_it_is = set(ran[frozenset()]["values"])
            explanation.differing = len(as_it_is), ran[frozenset()]["compared"]
            explanation.parts = tuple(replace(part, values=_values(number, len(parts), ran)) for number, part in enumerate(parts))
            return explanation
        explanation.noises = {lane: Noise(lane, **self._noise(lane)) for lane in ("float64", "float32")}
        reference = explanation.noises["float64"].reference
        explanation.total, explanation.left = (distance(ran[which]["twin"], ran[which]["reference"], reference)
                                               for which in (frozenset(), frozenset(range(len(parts)))))
        explanation.parts = tuple(replace(part, effect=effect(number, len(parts), ran, explanation.noises))
                                  for number, part in enumerate(parts))
        return explanation

    def _ran(self, found: Sequence[Mend]) -> Ran:
        """The twin as it is, with each line righted alone, with all but each, with all."""
        everything = frozenset(range(len(found)))
        wanted = dict.fromkeys([frozenset(), *(frozenset({one}) for one in sorted(everything)),
                                *(everything - {one} for one in sorted(everything)), everything])
        ran = {}
        for number, which in enumerate(wanted, 1):
            lines = ", ".join(str(one + 1) for one in sorted(which)) or "none"
            self._tell(f"{number} of {len(wanted)} twins: righted are lines {lines}", number)
            ran[which] = self._measured(joined(found[one] for one in sorted(which)))
        return ran

    def _measured(self, changes: tuple[Change, ...]) -> dict[str, Any]:
        def work() -> Mapping[str, Any]:
            from parity.explain import courses
            if self._steps is None:
                return courses.differing(self._load(None))
            return courses.course(self._load(None), self._steps)

        told = self._apart(work, changes)
        if told.get("verdict") != "failed":
            return told
        if self._steps is None:
            raise InputError(f"a version of the twin cannot be compared: {told['said']}")
        return {"reference": {}, "twin": {}, "cosines": {}, "failure": told["said"]}

    def _noise(self, lane: str) -> dict[str, Any]:
        self._tell(f"what rounding does, {lane}", 0)

        def work() -> Mapping[str, Any]:
            from parity.explain import courses
            return courses.noise(self._load(None), lane, self._steps)

        told = self._apart(work, ())
        if told.get("verdict") == "failed":
            raise InputError(f"the reference's noise cannot be measured: {told['said']}")
        return told

    def _apart(self, work: Callable[[], Mapping[str, Any]], changes: tuple[Change, ...]) -> dict[str, Any]:
        originals = {change.file: self._search.original(change.file) for change in changes}
        return apart(work, patches.texts(changes, originals), seconds=SECONDS)


def _values(line: int, lines: int, ran: Ran) -> tuple[int, int]:
    everything = frozenset(range(lines))
    as_it_is, only, without, righted = (set(ran[which]["values"]) for which in (
        frozenset(), frozenset({line}), everything - {line}, everything))
    return len(as_it_is - only), len(without - righted)


def _parts(mends: Mends, original: Callable[[str], str]) -> Iterator[Part]:
    for number, mend in enumerate(mends.found):
        place = mend.place
        righted = next((made for made, known in enumerate(mends.known[:number]) if place.twin in known), number)
        yield Part(number + 1, place.said, place.reference, place.twin, tuple(_replaced(mend, original)),
                   tuple(range(1, righted + 1)))


def _replaced(mend: Mend, original: Callable[[str], str]) -> Iterator[Replaced]:
    """Per file and run of lines, without indentation; imports that a statement needs are not shown."""
    for change in sorted(mend.changes):
        text = original(change.file)
        if len(mend.changes) > 1 and change.new.lstrip().startswith(("import ", "from ")):
            continue
        first, last = text.rfind("\n", 0, change.start) + 1, text.find("\n", max(change.end - 1, change.start))
        last = len(text) if last < 0 else last
        after = text[first:change.start] + change.new + text[change.end:last]
        yield Replaced(Site(change.file, text.count("\n", 0, change.start) + 1), dedent(text[first:last]).rstrip(),
                       dedent(after).strip("\n").rstrip())

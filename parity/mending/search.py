"""The search for a patch: candidates are tried where the two first differ, the one that helps is kept, and so on until all agrees.

What is handed out is proven: with it the whole comparison is `same`, on other seeds too, and without any one of its changes it
is not.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from parity import asked
from parity.blame import is_installed
from parity.differences.explaining import imitating
from parity.files import InputError
from parity.mending import patches
from parity.mending.candidates import (
    AS_FOUND,
    Candidate,
    Spot,
    around,
    candidates,
    spots,
    statement_at,
    with_bindings,
    within,
)
from parity.mending.definitions import Function, methods_called, namesake, used_by
from parity.mending.patches import Change, Source
from parity.mending.trial import Far, Outcome, Place, attempt, check_possible, import_installed
from parity.steps.census import PER_PARAMETER
from parity.trace.events import CLEARED
from parity.trace.source import Site
from parity.verdict.findings import Report

SEEDS = (1, 2)
"""Further weights and inputs, by what is added to the pair's own seed, on which a patch has to hold."""

FIRST, SLOWER = 600.0, 4.0
"""Seconds that a whole comparison may take; how many times as long as the first one a trial may take: another hangs."""

LESS = 1e-3
"""By this factor nearer, a first place is no longer what it was: what the frameworks do in float32 amounts to 1e-6 of a value."""

MOST_PLACES = 4
"""How many faults are mended one after the other, at most."""

PATIENCE = 16
"""How many more changes are tried once one has carried further: a statement put in or left out shifts which value stands beside
which, and a guess may do so by chance."""

MOST_SPOTS = 24
"""At how many statements of one kind changes are tried, at most."""

MOST_ELSEWHERE = 12
"""How many changes are tried at a place behind one that nothing mends: each takes a whole comparison."""

_OF_LAYERS = ("weight", "bias")
"""Parameters of the frameworks' own layers: who names them tells nothing."""

_OF_ATTRIBUTES = ("regularizer", "learning_rate")
"""What Paddle's attributes of a parameter say of how it is trained."""

FURTHER, TOLD_FURTHER = 1.0, 0.25
"""What a change costs more with each statement further away: a guess, and one that the reference tells of."""


@dataclass
class Fix:
    """What a search came to.

    verdict: "same" (nothing to mend), "fixed", "partly" (the changes carry further, and something is left), "open" (nothing helped)
    or "undecided". before, after: the comparison without and with the changes. originals: the files' texts without.
    """

    verdict: str
    before: Outcome
    after: Outcome
    changes: tuple[Change, ...] = ()
    originals: dict[str, str] = field(default_factory=dict)
    tried: int = 0
    nearest: str | None = None
    seeds: tuple[int, ...] = ()
    necessary: tuple[str, ...] = ()
    seconds: float = 0.0
    unreadable: str | None = None

    @property
    def diff(self) -> str:
        return patches.diff(self.changes, self.originals)

    @property
    def sentence(self) -> str:
        if self.verdict == "same":
            return f"The same computation already: {self.before.compared} values compared, nothing to mend."
        if self.verdict == "fixed":
            several = len(self.changes) > 1
            changes, without = (f"these {len(self.changes)} changes", "any one of them") if several else ("this change", "it")
            return (f"Proven: with {changes} all {self.after.compared} values agree, on {1 + len(self.seeds)} seeds; without "
                    f"{without} they do not.")
        if self.verdict == "undecided":
            return f"No verdict, so no fix: {self.before.said}"
        tried = f"{self.tried} changes were tried"
        if self.verdict == "partly":
            return f"Not all: with these changes the two agree further, then something else differs; {tried}. {self.after.said}"
        if self.unreadable:
            return f"No fix was looked for: {self.unreadable}"
        return f"No fix was proven: {tried}" + (f"; nearest came: {self.nearest}." if self.nearest else ".")

    def to_json(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "sentence": self.sentence, "diff": self.diff or None, "tried": self.tried,
                "changes": [{"file": change.file, "line": self.originals[change.file].count("\n", 0, change.start) + 1,
                             "old": self.originals[change.file][change.start:change.end], "new": change.new, "why": change.why}
                            for change in self.changes],
                "proof": {"compared": self.after.compared, "verdict": self.after.verdict, "seeds": list(self.seeds),
                          "without": list(self.necessary)},
                "before": self.before.said, "after": self.after.said, "nearest": self.nearest,
                "seconds": round(self.seconds, 1)}


@dataclass(frozen=True)
class Mend:
    """A candidate that carried further: place: what differed first before it was made. changes: all that it takes by itself."""

    place: Place
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Mends:
    """What was found one after the other. before: without any; after: with all of them. nearest: of what did not help. known:
    before each was made, the lines of the twin of which it was known that they are wrong by themselves."""

    before: Outcome
    found: tuple[Mend, ...]
    after: Outcome
    nearest: str | None = None
    known: tuple[frozenset[Site], ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        return joined(self.found)


def joined(mends: Iterable[Mend]) -> tuple[Change, ...]:
    """All their changes; several may need the same import."""
    return tuple(dict.fromkeys(change for mend in mends for change in mend.changes))


Tell = Callable[..., None]
"""Called with what is to be told; with the number of the trial where it is only what is being tried."""


class Search:
    """One search for one pair. load: imports the user's pair, in a trial's process only; with a seed, or None for its own.
    steps: of its training, so many of which have to agree; without them it is one forward and backward. most: so many faults are
    mended one after the other. past: where nothing mends the first place, the other independent ones are tried. clock: what the
    budget's seconds are counted by."""

    def __init__(self, load: Callable[[int | None], Any], *, budget: float, steps: int | None = None,
                 tell: Tell = lambda what, trial=None: None, most: int = MOST_PLACES, past: bool = False,
                 clock: Callable[[], float] = time.monotonic) -> None:
        check_possible()
        self._load, self._tell, self._steps, self._most, self._past = load, tell, steps, most, past
        self._budget, self._clock, self._began, self._tried = budget, clock, clock(), 0
        self._took = budget  # seconds, by the first comparison
        self._sources: dict[str, Source | None] = {}
        self._files: tuple[str, ...] = ()  # of the user's
        self._recorded: str | None = None  # folder with the steps of a training's reference
        self._recording = 0.0  # seconds that this took
        self._misled = False  # whether a trial would end at a value that the whole comparison does not count
        self._thorough = False  # whether all is asked that a comparison tells, not only what differs first

    def run(self) -> Fix:
        self.prepare()
        with self._reference_recorded():
            before = self._begun()
            if before.verdict != "diverged":
                return self._fix(before.verdict, before, before)
            found = self._mended(before)
            if not before.far or self._stands(before):
                return found
            whole = self.attempt((), alone=False)
            if whole.verdict in ("same", "undecided"):
                return self._fix(whole.verdict, whole, whole)
            known = [place.key for place in whole.places[:1]] == [place.key for place in before.places[:1]]
            return found if known or found.verdict == "fixed" else self._mended(whole)

    def mends(self) -> Mends:
        """What carries further, one after the other; nothing is proven of it."""
        self._thorough = True
        self.prepare()
        before = self._begun()
        if before.verdict != "diverged":
            return Mends(before, (), before)
        with self._reference_recorded():
            self._check_recorded(before)
            return self._one_by_one(before)

    def _begun(self) -> Outcome:
        """The comparison without any change. Raises InputError where none comes of it."""
        began = time.monotonic()
        before = self.attempt(())
        import_installed(before.installed)
        if before.verdict == "same":  # as far as one lane tells
            before = self.attempt((), proof=True)
        elif self._recorded is not None and not before.far:
            self._check_recorded(before)
        elif self._steps is None and before.verdict == "diverged" and all(place.twin is None for place in before.places):
            more = self.attempt((), proof=True).places  # the twin has no such value
            before = replace(before, places=before.places + tuple(place for place in more if place.twin is not None))
        self._files = before.files
        self._took = max(time.monotonic() - began, self._recording)  # a first look may have ended at the census
        self._began = self._clock()
        self._tell("\n".join(place.said for place in before.places[:1]) or before.said)
        if before.verdict == "failed":
            raise InputError(f"the pair cannot be compared: {before.said}")
        return before

    def _check_recorded(self, before: Outcome) -> None:
        """Nothing can be explained without the reference: where the twin alone is found to differ elsewhere first, its recorded
        steps are of no use."""
        if self._recorded is not None:
            alone = self.attempt((), at=replace(before, places=()))
            if [place.key for place in alone.places[:1]] != [place.key for place in before.places[:1]]:
                self._recorded = None

    def _stands(self, before: Outcome) -> bool:
        """Whether what the twin's training was found to do otherwise, alone, is neither rounding that has grown nor a known
        difference of the frameworks: nothing has been updated before it, and it is as far off beside a reference that does all
        that Paddle is known to do otherwise."""
        first = before.places[0]
        if first.stage == "census":
            return True
        if before.reached[1] > 1 or first.stage in ("update", "state"):
            return False
        with tempfile.TemporaryDirectory(prefix="parity-fix-") as room:
            def passed(report: Any) -> None:
                if any(repr(finding.key) == first.key and not abs(finding.deviation.distance - first.distance)
                       > LESS * first.distance for finding in report.diverged):
                    raise Far(0, report.first)

            def beside_all_that_is_known() -> Any:
                import parity
                from parity.differences.registry import ALL
                subject = self._load(None)
                with imitating([difference for difference in ALL if difference.imitate is not None]):
                    parity.record(subject, os.path.join(room, "imitating"), steps=before.reached[1], draws=1)
                return _Followed(parity.follow(subject, steps=1, against=os.path.join(room, "imitating"), passed=passed))

            return attempt(beside_all_that_is_known, {}, seconds=FIRST, room=room).far

    def prepare(self) -> None:
        """Imports here what each trial would have to import."""
        import parity.compare.runner
        import parity.declare.port
        import parity.frameworks
        import parity.steps.runner
        parity.frameworks.PaddleFramework().version, parity.frameworks.TorchFramework().version
        if self._steps is not None:  # as torch does where the first optimizer is built
            importlib.import_module("torch._dynamo")

    def _one_by_one(self, before: Outcome) -> Mends:
        at, found = before, []
        whole = self._with_all_places((), before)
        known = [frozenset(whole.independent)]
        nearest, stuck = None, set()
        for _ in range(self._most):
            settled = self._settled(joined(found), at)
            if settled.verdict == "same":
                at = settled
                break
            if at.far and settled.reached > at.reached:  # it does not count what a trial would end at
                self._misled, at = True, settled
            mend, after, near = (None, at, None) if at.places[0].key in stuck else self._further(joined(found), at, settled)
            nearest = nearest or near
            if mend is None and self._past:
                stuck.add(at.places[0].key)
                mend, after = self._elsewhere(joined(found), whole)
            if mend is None:
                break
            found.append(mend)
            at = after
            if at.verdict == "same":
                break
            whole = self._with_all_places(joined(found), at)
            known.append(known[-1] | set(whole.independent))
        return Mends(before, tuple(found), at, nearest, tuple(known))

    def _mended(self, before: Outcome) -> Fix:
        mends = self._one_by_one(before)
        made, nearest = mends.changes, mends.nearest
        if not made and mends.after.verdict == "same":
            return self._fix("same", mends.after, mends.after)
        if not made:
            nowhere = "the finding names no line of the twin's own source, or one that is installed rather than yours"
            looked = any(spot for _, found in self._spots(before.places) for spot in found)
            return self._fix("open", before, before, nearest=nearest, unreadable=None if looked else nowhere)
        after = mends.after if mends.after.verdict == "same" and self._recorded is not None else self._whole(made)
        if after.verdict != "same":
            return self._fix("partly" if after.further_than(before) else "open", before, after, made, nearest=nearest)
        return self._proven(made, before, after)

    @contextmanager
    def _reference_recorded(self) -> Iterator[None]:
        """Of a training: each trial runs the twin alone, against the steps of the reference, which are always the same."""
        if self._steps is None:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="parity-fix-") as room:
            def record() -> Any:
                import parity
                parity.record(self._load(None), os.path.join(room, "reference"), steps=self._steps, draws=1)
                return _Recorded()

            began = time.monotonic()
            if attempt(record, {}, seconds=FIRST, room=room).verdict == "same":
                self._recorded, self._recording = os.path.join(room, "reference"), time.monotonic() - began
            yield
            self._recorded = None

    def _proven(self, made: tuple[Change, ...], before: Outcome, after: Outcome) -> Fix:
        """Every change is necessary, and the whole holds elsewhere."""
        lacking = self._necessary(made, before)
        kept = tuple(lacking)
        for seed in SEEDS:
            held = self.attempt(kept, proof=True, seed=seed)
            if held.verdict != "same":
                return self._fix("partly", before, held, kept)
        return self._fix("fixed", before, after, kept, seeds=SEEDS, necessary=tuple(lacking.values()))

    def _necessary(self, changes: tuple[Change, ...], before: Outcome) -> dict[Change, str]:
        """The changes less those that can be spared, each with what is said without it."""
        lacking = {}
        for change in changes:
            rest = tuple(one for one in changes if one != change)
            found = self._whole(rest) if rest else before
            if found.verdict == "same":
                return self._necessary(rest, before)
            lacking[change] = found.said
        return lacking

    def _fix(self, verdict: str, before: Outcome, after: Outcome, changes: tuple[Change, ...] = (), **more: Any) -> Fix:
        originals = {change.file: self._source(change.file).text for change in changes}
        return Fix(verdict, before, after, changes, originals, self._tried, seconds=self._clock() - self._began,
                   **more)

    def _further(self, made: tuple[Change, ...], at: Outcome, settled: Outcome) -> tuple[Mend | None, Outcome, str | None]:
        """The candidate that makes all agree; failing that, the one that carries furthest; with what comes of it. And what came
        nearest. settled: the whole comparison, which says by which line and for what cause; a trial that ended at the first value
        tells nothing of these."""
        best: tuple[Mend | None, Outcome] = None, at
        patience = PATIENCE
        lines = {place.line for place in settled.places}
        places = settled.places + tuple(place for place in at.places if place.line not in lines)
        for candidate in self._candidates(places, made):
            if self._clock() - self._began > self._budget:
                self._tell(f"the budget of {self._budget:.0f} s is used up")
                break
            changes = made + tuple(change for change in candidate.changes if change not in made)  # both may need the same import
            self._tried += 1
            self._tell(_said(candidate, self._source(candidate.changes[0].file)), self._tried)
            found = self.attempt(changes, at=at)
            if found.far and found.reached[0] > at.reached[0]:  # one program agrees; in the next, what was drawn may be apart
                settled = self._settled(changes, found)
                found = settled if settled.verdict == "same" else found
            if found.verdict == "same":
                return Mend(at.places[0], candidate.changes), found, None
            if found.further_than(best[1]) and not candidate.removes:
                best = Mend(at.places[0], candidate.changes), found
                if candidate.told and not (candidate.shifts and self._steps is None):
                    return *best, None
            if best[0] is not None and self._steps is None:
                patience -= 1
                if not patience:
                    break
        mend = best[0]
        return *best, None if mend is None else " ".join(f"{change.why}: {change.new.strip()!r}" for change in mend.changes
                                                         if change not in made)

    def _settled(self, made: tuple[Change, ...], at: Outcome) -> Outcome:
        """The whole comparison, where a trial has ended at the first value that no rounding explains: what was drawn, or is known
        of the frameworks, may explain it still."""
        return self.attempt(made, whole=True) if self._steps is None and at.far else at

    def _with_all_places(self, made: tuple[Change, ...], at: Outcome) -> Outcome:
        """With all places, not the first alone; where these are asked for."""
        return self.attempt(made, alone=False, whole=True) if self._past else at

    def _elsewhere(self, made: tuple[Change, ...], whole: Outcome) -> tuple[Mend | None, Outcome]:
        """The first candidate that rights one of the other places, whatever the first may be, and breaks none; with what comes of
        it."""
        for place in whole.places[1:]:
            if place.twin not in whole.independent or place.twin == whole.places[0].twin:
                continue
            self._tell(f"nothing rights {whole.places[0].line}; the next place is {place.twin}")
            for candidate in itertools.islice(self._candidates([place], made), MOST_ELSEWHERE):
                if self._clock() - self._began > self._budget:
                    return None, whole
                changes = made + tuple(change for change in candidate.changes if change not in made)
                self._tried += 1
                self._tell(_said(candidate, self._source(candidate.changes[0].file)), self._tried)
                found = self.attempt(changes, alone=False, whole=True)
                if found.lacks(place.twin, whole):
                    return Mend(place, candidate.changes), found
        return None, whole

    def _candidates(self, places: Sequence[Place], made: tuple[Change, ...]) -> Iterator[Candidate]:
        """Of all places, cheapest first; the first place's before those of others that cost the same."""
        seen, all_ = set(), []
        for group, (told_only, found) in enumerate(self._spots(places)):
            for number, spot in enumerate(itertools.islice((spot for spot in found if spot.key not in seen), MOST_SPOTS)):
                seen.add(spot.key)
                told_further, further = (0.0, 0.0) if _reads(spot, places) else (
                    (min(group, 2) + number) * TOLD_FURTHER, (min(group, 2) + number) * FURTHER)
                all_ += [(candidate.cost + (told_further if candidate.told else further), len(seen), candidate)
                         for candidate in candidates(spot, places[0].hints) if candidate.told or not told_only]
        tried: set[Any] = set()
        for _, _, candidate in sorted(all_, key=lambda one: one[:2]):
            if candidate.changes in tried or any(change.overlaps(one) for change in candidate.changes for one in made):
                continue
            said = tuple((self._source(change.file).text[change.start:change.end], change.new) for change in candidate.changes)
            if candidate.told and candidate.changes[0].why != AS_FOUND and all(old for old, _ in said):
                if said in tried:  # the same words made no difference elsewhere
                    continue
                tried.add(said)
            tried.add(candidate.changes)
            meaning = self._meaning(candidate.changes)
            if meaning is not None and meaning not in tried:
                tried.add(meaning)
                yield candidate

    def _meaning(self, changes: tuple[Change, ...]) -> tuple[str, ...] | None:
        """What the changed files say then, however it is written; None where that is no Python."""
        try:
            said = {file: patches.patched(self._source(file).text, [change for change in changes if change.file == file])
                    for file in sorted({change.file for change in changes})}
            for file, text in said.items():
                compile(text, file, "exec")
            return tuple(file + ast.dump(ast.parse(text)) for file, text in said.items())
        except (SyntaxError, ValueError):
            return None

    def _spots(self, places: Sequence[Place]) -> Iterator[tuple[bool, Iterator[Spot]]]:
        """Of the first places: what their lines tell; the twin's function of the reference's name; what the lines use; and all
        that is called alike in both files, where only what the reference says is tried (True)."""
        named = [place for place in places if place.twin is not None][:2]
        if self._steps is not None and places:
            yield from ((False, found) for found in self._of_the_training(places[0]))
        if places and places[0].stage == "census" and places[0].variable in PER_PARAMETER:
            yield False, self._where_parameters_are_told()
        for place in named:
            other = place.reference or place.last_good
            if (twin := self._twin(place.twin.file)) is not None:
                yield False, spots(twin, Site(twin.file, place.twin.line), self._read(other), other)
        if places and places[0].stage == "census":
            yield False, self._where_set(f"self.{places[0].variable}")
        for place in named or places[:1]:
            for site in (place.last_good, place.reference):
                yield False, self._in_the_namesake(site)
        for place in named:
            if (twin := self._twin(place.twin.file)) is not None:
                yield False, self._in_what_is_used(twin, place)
        for file in dict.fromkeys(site.file for place in places[:2] for site in (place.reference, place.last_good) if site):
            yield True, self._called_alike(file)

    def _of_the_training(self, first: Place) -> Iterator[Iterator[Spot]]:
        """Where a program that trains right networks goes wrong: what goes backward and updates, what is done to a setting."""
        variable = first.variable.removesuffix(CLEARED)
        if first.stage in ("update", "state") and variable.isidentifier() and variable not in _OF_LAYERS:
            yield self._where_named(variable)
        if first.stage == "update" and first.twin is not None and (twin := self._twin(first.twin.file)) is not None:
            yield self._in_methods_called(statement_at(twin, first.twin.line))
        if first.stage in ("gradients", "update", "state"):
            yield self._in_the_steps()
        elif first.stage == "forward":  # no step has done anything yet, but perhaps something to the networks
            yield (spot for spot in self._in_the_steps() if spot.beside is not None and spot.counterpart is None)

    def _in_the_steps(self) -> Iterator[Spot]:
        """Of the functions that go backward or update, and those that call them, called as the reference's."""
        functions = [node for reference in self._references() for node in ast.walk(reference.tree) if isinstance(node, Function)]
        calls = {one.name: {node.func.attr for node in ast.walk(one) if isinstance(node, ast.Call)
                            and isinstance(node.func, ast.Attribute)} for one in functions}
        stepping = {"backward", "step"}
        while further := {name for name, called in calls.items() if called & stepping} - stepping:
            stepping |= further
        return self._in_namesakes(lambda function: bool(calls[function.name] & stepping))

    def _where_named(self, variable: str) -> Iterator[Spot]:
        """Of the functions called as the reference's that bind that name, or one that it is part of."""
        return self._in_namesakes(lambda function: any(variable in _words(node) for node in ast.walk(function)
                                                       if isinstance(getattr(node, "ctx", None), ast.Store)))

    def _in_namesakes(self, wanted: Callable[[ast.AST], bool]) -> Iterator[Spot]:
        """Of the twin's functions that are called as those of the reference's: first where the two are not the same, and of these
        where they hardly differ elsewhere."""
        found = []
        for reference in self._references():
            for node in ast.walk(reference.tree):
                if isinstance(node, Function) and wanted(node):
                    spots_in = [(spot.suspicious, spot) for spot in self._in_the_namesake(Site(reference.file, node.lineno))]
                    differing = sum(suspicious for suspicious, _ in spots_in)
                    found += [(not suspicious, differing, spot) for suspicious, spot in spots_in]
        yield from (spot for *_, spot in sorted(found, key=lambda one: one[:2]))

    def _where_set(self, name: str) -> Iterator[Spot]:
        """Of the functions that are called as those of the reference's that set it: what a whole model lacks shows only where that
        is built."""
        for reference in self._references():
            for node in ast.walk(reference.tree):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node) == name:
                    yield from self._in_the_namesake(Site(reference.file, node.lineno))

    def _where_parameters_are_told(self) -> Iterator[Spot]:
        """The statements of the twin that give parameters attributes of their own, those that make most of it first: what an
        optimizer holds of some of its parameters alone was decided where these were made."""
        found = []
        for twin in self._twins():
            for node in ast.walk(twin.tree):
                if isinstance(node, ast.keyword) and node.arg and (node.arg.endswith("_attr") or node.arg in _OF_ATTRIBUTES):
                    made = sum(isinstance(one, ast.Call) for one in ast.walk(node.value))
                    found.append((made, Spot(twin, statement_at(twin, node.value.lineno), node.value.lineno)))
        yield from (spot for made, spot in sorted(found, key=lambda one: -one[0]) if made)

    def _references(self) -> Iterator[Source]:
        return (source for file in self._files if (source := self._source(file)) is not None and "torch" in _packages(source))

    def _twins(self) -> list[Source]:
        found = [source for file in self._files if (source := self._source(file)) is not None and "torch" not in _packages(source)]
        return sorted(found, key=lambda source: "paddle" not in _packages(source))

    def _called_alike(self, file: str) -> Iterator[Spot]:
        reference = self._source(file)
        for node in reference.definitions.values() if reference is not None else ():
            yield from self._in_the_namesake(Site(file, node.lineno))

    def _in_the_namesake(self, site: Site | None) -> Iterator[Spot]:
        reference = self._read(site)
        if reference is None:
            return
        found = namesake(reference, site.line, (source for source in self._twins() if source.file != reference.file))
        if found is not None:
            yield from within(found[0], reference, found[1], site.line)

    def _in_what_is_used(self, twin: Source, place: Place) -> Iterator[Spot]:
        statement = statement_at(twin, place.twin.line)
        if statement is None:
            return
        other = place.reference or place.last_good
        reference, there = self._read(other), None
        if reference is not None and (there := statement_at(reference, other.line)) is not None:
            theirs = {found.node.name: found for found in used_by(reference, with_bindings(reference, there), self._twin)}
        for found in used_by(twin, with_bindings(twin, statement), self._twin, around(twin, place.twin.line, ast.ClassDef),
                             place.twin.line):
            meant = theirs.get(found.node.name) if there is not None else None
            yield from within(found, meant.source, meant.node) if meant is not None else within(found)

    def _in_methods_called(self, statement: ast.stmt | None) -> Iterator[Spot]:
        for found in methods_called(statement, self._twins()) if statement is not None else ():
            yield from within(found)

    def _twin(self, file: str) -> Source | None:
        """The source of a file that is the user's to change: none that is installed."""
        return None if is_installed(os.path.realpath(file)) else self._source(file)

    def _read(self, site: Site | None) -> Source | None:
        return None if site is None else self._source(site.file)

    def original(self, file: str) -> str:
        """The text of a file that changes are of."""
        return self._source(file).text

    def _source(self, file: str) -> Source | None:
        file = os.path.realpath(file)
        if file not in self._sources:
            try:
                self._sources[file] = Source.read(file)
            except InputError:
                self._sources[file] = None
        return self._sources[file]

    def _whole(self, changes: tuple[Change, ...]) -> Outcome:
        """The whole comparison. Of a training, the twin beside the recorded steps is no less; what is not the same there is asked
        again beside the reference."""
        return self.attempt(changes, proof=self._recorded is None)

    def attempt(self, changes: tuple[Change, ...], *, proof: bool = False, seed: int | None = None, at: Outcome | None = None,
                alone: bool = True, whole: bool = False) -> Outcome:
        """proof: all programs, both lanes; else what one pass in float64 and its measuring tell. at: how far the two agree
        already: a pass in which its first place is off still tells enough. alone: of a training, the twin beside the recorded
        steps, where there are any. whole: all places, not the first alone."""
        originals = {change.file: self._source(change.file).text for change in changes}
        return _in_lines_of(originals, changes, self._attempt(patches.texts(changes, originals), proof, seed, at, alone, whole))

    def _attempt(self, sources: Mapping[str, str], proof: bool, seed: int | None, at: Outcome | None, alone: bool,
                 whole: bool) -> Outcome:
        seconds = FIRST if proof or at is None else SLOWER * self._took + 5
        if self._steps is None:
            return attempt(self._compared(seed, proof, at, whole), sources, seconds=seconds)
        if not alone or self._recorded is None or proof or seed is not None:
            return attempt(self._followed(seed, proof, at), sources, seconds=seconds)
        found = attempt(self._beside_the_recorded(at), sources, seconds=seconds)
        further = at is None or (bool(sources) and found.further_than(at))
        if found.verdict in ("diverged", "undecided") and not found.far and further:
            return attempt(self._followed(None, False, None), sources, seconds=FIRST)
        return found

    def _followed(self, seed: int | None, proof: bool, at: Outcome | None) -> Callable[[], Any]:
        """A training, followed for all steps, or, where only how far both agree is asked, to the first that is off still."""
        steps = self._steps if proof or at is None or not at.reached else min(self._steps, at.reached[1] + 1)

        def passed(report: Any) -> None:
            if at is not None and at.places and (still := _still(report, at.places[0])) is not None:
                raise Far(0, still)

        def follow() -> Any:
            import parity
            if proof:  # what is the same beside the floors of one draw is the same beside those of more
                strict = parity.follow(self._load(seed), steps=steps, draws=1)
                if strict.verdict == "same":
                    return _Followed(strict)
            return _Followed(parity.follow(self._load(seed), steps=steps, passed=passed))

        return follow

    def _beside_the_recorded(self, at: Outcome | None) -> Callable[[], Any]:
        """The twin's training alone, to the first value that no rounding explains."""
        def passed(report: Any) -> None:
            from parity.compare.settling import FAR
            if at is not None and at.places and (still := _still(report, at.places[0])) is not None:
                raise Far(0, still)
            first = report.first
            if first is not None and not self._thorough and (first.key.stage == "census" or first.floor_multiple > FAR):
                raise Far(0, first, [finding for finding in report.diverged if finding is not first])

        def follow() -> Any:
            import parity
            return _Followed(parity.follow(self._load(None), steps=self._steps, against=self._recorded, passed=passed))

        return follow

    def _compared(self, seed: int | None, proof: bool, at: Outcome | None, whole: bool) -> Callable[[], Any]:
        begun: list[Any] = []

        def found(case: Any, first: Any) -> None:
            from parity.compare.settling import is_far
            if is_far(first) and not (whole or self._misled):
                raise Far(len(begun) - 1, first)

        def told(case: Any, doing: str) -> None:
            if not begun or begun[-1] is not case:
                begun.append(case)

        def passed(case: Any, report: Any) -> None:
            told(case, "")
            if at is not None and at.places and at.reached[0] == len(begun) - 1 and (
                    still := _still(report, at.places[0])) is not None:
                raise Far(len(begun) - 1, still)

        options: dict[str, Any] = {"lanes": asked.LANES} if proof else {
            "lanes": ["float64"], "quick": True, "found": found, "passed": passed, "progress": told}

        def compare() -> Any:
            import parity
            return parity.compare(self._load(seed), **options)

        return compare


class _Recorded:
    """What `attempt` asks of a comparison, where nothing was compared."""

    verdict, headline, merged = "same", None, Report("recorded")

    def sentence(self) -> str:
        return "recorded"


class _Followed:
    """A training that was followed, with what a trial asks of a comparison."""

    def __init__(self, summary: Any) -> None:
        self.verdict, self.merged, self.sentence = summary.verdict, summary.merged, summary.sentence
        self.results = [summary]
        self.headline = None if summary.first is None else (summary, summary.first)

        self.counterfactual = summary.counterfactual

    def places(self) -> list[tuple[Any, None]]:
        return [(finding, None) for finding in self.merged.diverged]


def _still(report: Any, place: Place) -> Any | None:
    """The finding of a place that no rounding explains, if a pass has found it again, about as far off. What is left of one that
    was mended may be a known difference of the frameworks, which a pass does not know yet."""
    from parity.compare.settling import FAR
    return next((finding for finding in report.diverged if repr(finding.key) == place.key
                 and (finding.key.stage == "census" or finding.floor_multiple > FAR)
                 and finding.deviation.distance >= LESS * place.distance), None)


def _reads(spot: Spot, places: Sequence[Place]) -> bool:
    """Whether the statement reads, or sets, the very parameter or buffer that was found first."""
    variable = places[0].variable
    return variable.isidentifier() and re.search(rf"\bself\.{variable}\b", spot.twin.segment(spot.statement)) is not None


def _in_lines_of(originals: Mapping[str, str], changes: Sequence[Change], found: Outcome) -> Outcome:
    """The outcome, with the lines that the files had before the changes."""
    def before(site: Site | None) -> Site | None:
        file = None if site is None else os.path.realpath(site.file)
        if file not in originals:
            return site
        return site._replace(line=patches.line_before(site.line, originals[file], (one for one in changes if one.file == file)))

    places = tuple(replace(place, twin=before(place.twin), reference=before(place.reference), last_good=before(place.last_good))
                   for place in found.places)
    return replace(found, places=places, independent={
        before(line): order for line, order in found.independent.items()}) if originals else found


def _words(node: ast.AST) -> list[str]:
    """Of a name: the parts between its underscores."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name.split("_")


def _packages(source: Source) -> set[str]:
    return {full.partition(".")[0] for full in source.imports.values()}


def _said(candidate: Candidate, source: Source | None) -> str:
    change = candidate.changes[0]
    old = source.text[change.start:change.end].strip()
    return f"line {source.line_of(change.start)}, {change.why}: {old[:60]!r} -> {change.new.strip()[:60]!r}"

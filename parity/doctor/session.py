"""The doctor around a running loop: a context manager, and the diagnosis that it leaves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, NamedTuple

from parity.doctor.checks import CHECKS, Case, learning_rate
from parity.doctor.diagnosis import Diagnosis
from parity.doctor.finding import ERROR, FOLLOWS, KINDS, Finding
from parity.doctor.places import user_source
from parity.doctor.program import Program
from parity.doctor.raised import explain
from parity.doctor.record import Batch
from parity.doctor.watch import CLOSE, Watch
from parity.files import InputError
from parity.messages import say, together
from parity.trace.source import ConstructionSites, SourceTree


class Seen(NamedTuple):
    """How often each was seen."""

    iterations: int
    steps: int
    backwards: int


def _folded(found: list[Finding]) -> list[Finding]:
    """Without those that follow from another: the cause names them."""
    kept = []
    for finding in found:
        causes = [cause for cause in found if not cause.expected and finding.id in FOLLOWS.get(cause.id, ())]
        if not causes:
            symptoms = dict.fromkeys(other.id for other in found if other.id in FOLLOWS.get(finding.id, ()))
            if symptoms and not finding.expected:
                more = say("what follows from it: {kinds}", kinds=", ".join(symptoms))
                finding = replace(finding, evidence=together([finding.evidence, more], "; ") if finding.evidence else more)
            kept.append(finding)
    return kept


class Doctor:
    """Watches a training loop while the `with` block runs, and changes nothing of it.

    models: the networks, {name: network} or a list; optimizers: all of them, likewise. expect: ids of findings that are meant
    ("frozen-network", or "frozen-network:teacher" for one network alone). source: the user's files; by default the folders of the
    file with the loop and of the models' classes. most: iterations to watch, all by default; at_end: called after them.

    Raises InputError for things that are no models or optimizers, and for unknown ids in `expect`. What the block raises goes on.
    """

    def __init__(self, models: Any, optimizers: Any = None, *, expect: Sequence[str] = (), source: SourceTree | None = None,
                 constructions: ConstructionSites | None = None, close: int = CLOSE, most: int | None = None,
                 at_end: Callable[[], None] = lambda: None) -> None:
        unknown = [name for name in expect if name.partition(":")[0] not in KINDS]
        if unknown:
            raise InputError(f"expect: there is no finding {', '.join(unknown)}; there are {', '.join(KINDS)}")
        self._expect = tuple(expect)
        self._models, self._optimizers, self._source = models, optimizers, source
        self._constructions, self._close, self._most, self._at_end = constructions, close, most, at_end
        self._watch: Watch | None = None
        self._extra: list[Finding] = []
        self._found: list[Finding] | None = None

    def __enter__(self) -> Doctor:
        return self.start(sys._getframe(1))

    def start(self, frame: FrameType | None) -> Doctor:
        """What `with` does; `frame` is the function in which the loop stands."""
        program = Program(self._models, self._optimizers, frame=frame, constructions=self._constructions)
        files = [frame.f_code.co_filename] if frame is not None and not frame.f_code.co_filename.startswith("<") else []
        program.source = self._source or user_source(files, program.models.values())
        if not program.optimizers:
            for optimizer in program.others():
                program.adopt(optimizer, frame)
        self._models = self._optimizers = None
        self._watch = Watch(program, close=self._close, most=self._most, at_end=self._ended)
        self._watch.start(frame)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            self.note_error(error)
        self.stop()

    def stop(self) -> None:
        """End the watch; the program is as it was before."""
        self._watch.stop()

    def watch(self, loader: Iterable[Any], limit: int | None = None) -> Iterator[Any]:
        """The loader's batches, each the beginning of an iteration; with a limit, so many of them."""
        self._watch.explicit = True
        count = 0
        for item in loader if limit is None else islice(loader, limit):
            count += 1
            self._watch.mark()
            yield item
        if not count:
            site = self._watch.program.source.site(sys._getframe(1))
            self._extra.append(Finding("no-data", "loader", say("the loader gave no batch at all"), site=site))

    def mark(self) -> None:
        """An iteration begins here (for loops that do not go over `watch(loader)`)."""
        self._watch.explicit = True
        self._watch.mark()

    def end(self) -> None:
        """The iteration ends here."""
        self._watch.end()

    @property
    def close(self) -> bool:
        """Whether the next iteration will be watched closely."""
        return self._watch.next_is_close

    @property
    def failure(self) -> Exception | None:
        """What ended the watch, where it failed itself."""
        return self._watch.failure

    @property
    def enough(self) -> bool:
        """Whether as many iterations were watched as were asked for."""
        return self._watch.enough

    @property
    def seen(self) -> Seen:
        """How much there was to be seen."""
        watched = self._watch.iterations
        return Seen(len(watched), sum(len(one.steps) for one in watched), sum(len(one.backwards) for one in watched))

    @property
    def stepped(self) -> frozenset[str]:
        """Names of the optimizers that have stepped while it was watched."""
        return frozenset(step.optimizer for one in self._watch.iterations for step in one.steps)

    def batches(self, network: str) -> list[Batch]:
        """What this network was fed, as far as it was watched."""
        return [batch for iteration in self._watch.iterations for batch in iteration.batches if batch.network == network]

    @property
    def program(self) -> Program:
        return self._watch.program

    def again(self, back: int) -> AbstractContextManager:
        """While active, an iteration is run a second time and watched closely: see `Watch.again`."""
        return self._watch.again(back)

    def placed(self, back: int) -> bool:
        """Whether the iteration so many back (1: the latest) was run again and showed what is not finite."""
        return self._watch.iterations[-back].again

    def note_error(self, error: Exception) -> None:
        """What the step raised, as a finding."""
        self._extra.append(explain(error, self._watch.program, len(self._watch.iterations) + 1))

    def note(self, *findings: Finding) -> None:
        """What was seen outside the watched iterations."""
        self._extra.extend(findings)

    def diagnose(self) -> Diagnosis:
        """What is to be said so far."""
        watch = self._watch
        found = list(self._checked() if self._found is None else self._found)
        said = {finding.id for finding in found}
        if watch.failure is not None:
            found.append(Finding("watch-failed", "doctor", say(
                "the doctor itself failed in iteration {number}, and has seen nothing since: {error}",
                number=len(watch.iterations) + 1, error=repr(watch.failure))))
        found += [finding for finding in self._extra if finding.id not in said]
        found = [finding.declared(self._expect) for finding in dict.fromkeys(found)]
        found.sort(key=lambda finding: (finding.expected, finding.severity != ERROR, finding.rank))
        return Diagnosis(tuple(_folded(found)), len(watch.iterations))

    def note_end(self, over: bool, ran: Set[int] = frozenset()) -> None:
        """The program is over, having come to its end or not: what only that shows. ran: ids of modules that ran when enough was
        watched."""
        self._found = self._found and [finding for finding in self._found if finding.id != "module-never-run"
                                       or id(self.program.modules.get(finding.about)) not in ran]
        self.note(*learning_rate.through(Case(self.program, tuple(self._watch.iterations)), over))

    def trained(self, network: str) -> bool:
        """Whether a backward went through this network in train mode, while it was watched."""
        return any((use := one.modules.get(network)) and use.trained for one in self._watch.iterations)

    def _checked(self) -> list[Finding]:
        watch = self._watch
        case = Case(watch.program, tuple(watch.iterations), watch.moved_by_hand)
        return [finding for check in CHECKS for finding in check(case)]

    def _ended(self) -> None:
        """As many iterations were watched as were asked for. The program goes on, and may freeze, replace or load what was watched:
        what is to be said is of the program as it is now."""
        self._found = self._checked()
        self._at_end()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.diagnose().findings

    def __str__(self) -> str:
        from parity.doctor.report import to_text
        return to_text(self.diagnose())

    def _repr_html_(self) -> str | None:
        """In a notebook: the page; nothing before it was started."""
        return self.diagnose()._repr_html_() if self._watch else None

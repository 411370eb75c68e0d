"""What a comparison found: one `Finding` per value that is not the same, and the `Report` of a whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from dataclasses import replace as with_changes
from typing import NamedTuple

from parity.asked import LANES
from parity.numbers.arrays import Deviation, Verdict
from parity.numbers.noise import M
from parity.trace.events import OPERATION, PRECISIONS, Key, is_inside
from parity.trace.source import Site, relative
from parity.verdict.sketch import Sketch

RAISED = "(exception)"  # the variable of a finding which says that the twin raised


class Order(NamedTuple):
    """When in an execution: beside which value of the reference (`Event.order`), and on which side of it."""

    at: int
    rank: int = 0

    @classmethod
    def census(cls, number: int) -> Order:
        """Before anything ran."""
        return cls(-1, number)

    @classmethod
    def before(cls, at: int) -> Order:
        return cls(at, -1)

    @classmethod
    def raised_after(cls, at: int) -> Order:
        return cls(at, 1)

    @classmethod
    def after(cls, at: int) -> Order:
        """Of what the twin alone has; later than an exception there, which it would not have come to."""
        return cls(at, 2)


@dataclass(frozen=True)
class Finding:
    """One compared (or uncomparable) value.

    run: "free" (each side feeds itself) or "replay" (every module was given the reference's values).
    floor_multiple: how many noise floors apart; inf where the sides cannot be compared. last_good: the last value
    before this one, in execution order, that was the same. sketch: of what diverged, where both arrays were at hand.
    """

    subject: str
    lane: str
    run: str
    key: Key
    verdict: Verdict
    order: Order
    deviation: Deviation
    floor: float = 0.0
    reference: Site | None = None
    twin: Site | None = None
    called: Site | None = None
    last_good: str | None = None
    last_good_site: Site | None = None
    unknown: bool = False  # of a kind that cannot be compared
    drawn: bool = False  # it tells of random numbers that were drawn
    anew: bool = False  # a local, wrong although all that its line reads is right
    cause: str | None = None
    sketch: Sketch | None = None

    @property
    def id(self) -> str:
        key = self.key
        where = f"{key.module}.{key.variable}" if key.module else key.variable
        return (f"{self.subject}/{self.lane}/{self.run}/{key.stage}/{key.step}/{key.phase or '-'}/{where}"
                f"/{key.call}.{key.function or '-'}.{key.frame}.{key.occurrence}")

    @property
    def promised(self) -> bool:
        """Whether `same` promises this value: a result of the program, a loss, a gradient of a parameter or an input, an update;
        and the precision that it asks for."""
        key = self.key
        if key.is_local:
            return key.stage == "losses"
        if key.variable in PRECISIONS:
            return True
        return (key.stage in ("losses", "update") or (key.stage == "gradients" and not key.is_activation_gradient)
                or (key.module == self.subject and key.variable.startswith("output" if key.stage != "gradients" else "input")))

    @property
    def of_another_kind(self) -> bool:
        """Whether the two values are of other shapes, or of other dtypes: perhaps not meant to be the same."""
        return self.deviation.index is None and (self.deviation.trouble or "").startswith(("shape", "dtype"))

    @property
    def is_lone(self) -> bool:
        """Whether one side alone has the value."""
        return self.deviation.index is None and self.deviation.trouble is not None and not (
            self.of_another_kind or self.drawn or self.key.variable == RAISED)

    @property
    def is_reshaped(self) -> bool:
        """Whether the two are the same values in another shape."""
        return self.deviation.reshaped is not None and self.deviation.reshaped <= M * self.floor

    @property
    def variable(self) -> str:
        return self.key.variable

    @property
    def floor_multiple(self) -> float:
        if self.deviation.distance == 0:
            return 0.0
        return self.deviation.distance / self.floor if self.floor else float("inf")

    def to_json(self) -> dict:
        """The fixed keys of the interface, and a few more. Infinities become the string "inf": JSON has none."""
        worst = self.deviation
        return {
            "id": self.id, "verdict": self.verdict.value, "subject": self.subject, "lane": self.lane, "run": self.run,
            "stage": self.key.stage, "step": self.key.step, "phase": self.key.phase, "module": self.key.module,
            "call": self.key.call, "function": self.key.function or None, "variable": self.key.variable,
            "occurrence": self.key.occurrence, "reference": site_json(self.reference), "twin": site_json(self.twin),
            "worst": {"index": list(worst.index) if worst.index is not None else None,
                      "reference": _number(worst.reference), "twin": _number(worst.twin)},
            "distance": _number(worst.distance), "relative": _number(worst.relative),
            "floor_multiple": _number(self.floor_multiple), "last_good": self.last_good, "cause": self.cause,
            "histogram": self.sketch.to_json() if self.sketch is not None else None,
        }

    def __str__(self) -> str:
        """The whole story in a few lines: where, how far, what was still good, why."""
        where = self.key.module or self.subject
        called = f", call {self.key.call + 1}" if self.key.call else ""
        inside = f"in {self.key.function}()" if self.key.function else "at the module's border"
        step = f" of step {self.key.step}" if self.key.step else ""
        phase = f" ({self.key.phase})" if self.key.phase else ""
        lines = [f"{self.verdict.value} at stage {self.key.stage}{step}{phase}: {where}{called}, "
                 f"variable {self.key.variable!r} {inside} "
                 f"[{self.lane} lane, {self.run} run]"]
        lines.append(f"  reference  {_place(self.reference)}")
        lines.append(f"  twin       {_place(self.twin)}")
        if self.called and self.called not in (self.reference, self.twin):
            lines.append(f"  called at  {_place(self.called)}")
        worst = self.deviation
        if worst.trouble and worst.index is None:
            lines.append(f"  {worst.trouble}")
        elif worst.index is not None:
            lines.append(f"  worst at index {worst.index}: reference {worst.reference!r}, twin {worst.twin!r}"
                         + (f" ({worst.trouble})" if worst.trouble else ""))
            own_error = self.lane == "float32" and self.run in ("free", "replay") and not self.key.step
            unit = "times the reference's own error" if own_error else "noise floors"
            lines.append(f"  {worst.distance:.3g} apart = {self.floor_multiple:.3g} {unit} of {self.floor:.3g} "
                         f"({worst.relative:.3g} of the largest value)" if self.floor else
                         f"  {worst.distance:.3g} apart: nothing rounds here, so the values have to be equal")
        if self.last_good:
            lines.append(f"  last good  {self.last_good}"
                         + (f"  ({self.last_good_site})" if self.last_good_site else ""))
        if self.cause:
            lines.append(f"  likely cause: {self.cause}")
        return "\n".join(lines)


def _is_another_value(finding: Finding) -> bool:
    """Whether the twin has here what the reference has elsewhere."""
    return getattr(finding.cause, "pattern", "").startswith("the twin has here what is")


def first_diverged(found: Iterable[Finding]) -> Finding | None:
    """The divergence that comes first in the order of the runs; None where there is none."""
    return min((f for f in found if f.verdict is Verdict.DIVERGED), key=lambda finding: finding.order, default=None)


@dataclass(frozen=True)
class Counterfactual:
    """What remains once the places are right: of so many values `behind` that went apart by themselves, so many `agree` then.

    places: lines that were put right. remains: the first value that is off still, if one is; site: the twin's line of it. lines: of
    the twin, of the places.
    """

    places: int
    behind: int
    agree: int
    remains: Key | None
    site: Site | None
    sentence: str
    lines: tuple[Site, ...] = ()

    def to_json(self) -> dict:
        return {"places": self.places, "behind": self.behind, "agree": self.agree,
                "remains": None if self.remains is None else {"value": str(self.remains), "twin": site_json(self.site)},
                "sentence": self.sentence}


class Placing(NamedTuple):
    """What the first divergence of a run was when it was placed, and how the findings of the run are placed anew."""

    first: Key | None
    place: Callable[[list[Finding]], list[Finding]]


@dataclass
class Report:
    """All that a comparison saw. `findings`: what is not `same`, in execution order; `counts`: every comparison."""

    subject: str
    findings: list[Finding] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    largest: dict[str, dict[str, float]] = field(default_factory=dict)  # lane -> stage -> largest relative distance
    multiples: dict[str, dict[str, float]] = field(default_factory=dict)  # lane -> stage -> largest floor multiple
    modules: Counter = field(default_factory=Counter)  # module -> so many of its values were held against each other
    farthest: dict[str, float] = field(default_factory=dict)  # module -> largest floor multiple, float64
    unseen: str | None = None  # why there was no result to compare: that is no pass, whatever else agrees
    remarks: list[str] = field(default_factory=list)  # what was guessed, and what was left out
    census: int = 0  # of the counted, those of the first rung, before anything has run
    counterfactual: Counterfactual | None = None  # where it was asked: of two that go apart, what remains once the places are right
    kinks: int = 0  # values on another side of zero than the reference's, where gradients diverged for that alone
    placing: dict[str, Placing] = field(default_factory=dict, repr=False)  # of float64's runs, as long as they are at hand

    @property
    def compared(self) -> int:
        return sum(self.counts[v] for v in (Verdict.SAME, Verdict.NOISE, Verdict.EXPLAINED, Verdict.DIVERGED))

    @property
    def diverged(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict is Verdict.DIVERGED]

    @property
    def undecided(self) -> list[Finding]:
        """What `same` would have promised, and nobody could see."""
        return [finding for finding in self.findings if finding.promised and (
            finding.verdict is Verdict.UNDECIDED or (finding.verdict is Verdict.UNCOMPARED and finding.unknown))]

    @property
    def uncompared(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict is Verdict.UNCOMPARED]

    @property
    def first(self) -> Finding | None:
        """The headline: the earliest divergence in execution order, of a free run where there is one."""
        return min(self.diverged, key=_headline, default=None)

    @property
    def places(self) -> list[Finding]:
        """Independent faults: one finding for each module that goes wrong although its inputs are right, and for each further line
        in it that does.

        Taken from the replay, in which no error travels from module to module; without one, the headline alone.
        """
        replayed = sorted((f for f in self.diverged if f.run == "replay"), key=_headline)
        lane = replayed[0].lane if replayed else None
        wrong_inputs = {f.key.module for f in replayed if f.key.stage == "forward" and f.key.variable.startswith("input")}
        returned = [f for f in replayed if f.key.stage == "gradients" and f.key.variable.startswith("input")]
        fed_back = {f.deviation for f in returned}
        counted = {f.key[3:] for f in self.diverged if f.key.stage == "census"}  # of a name: said before anything ran
        named = {f.key.module for f in replayed}
        forward = [f for f in replayed if f.key.stage == "forward"]
        around = {f.key.module if f.key.is_local else f.key.module.rpartition(".")[0] for f in forward
                  if f.key.is_local or f.key.variable.startswith("input")}
        places: dict[str | tuple, Finding] = {}
        for finding in replayed:
            module, stage, variable = finding.key.module, finding.key.stage, finding.key.variable
            if (stage, variable[:5]) == ("forward", "input"):
                module = _around(module, named)  # what a module is fed is made by the one around it
            if module in wrong_inputs or finding.key[3:] in counted:
                continue
            if stage == "gradients" and not variable.startswith("input") and finding.deviation in fed_back:
                continue  # the same value as some input's gradient: that module made it
            if (stage, variable[:6]) == ("gradients", "output"):
                module = module.rpartition(".")[0]  # what comes back to an output is made by what it feeds
            if stage == "gradients" and any(other.key.is_inside(module) and _went_into(other, finding) for other in returned):
                continue  # made of what came back wrong from a module inside
            if stage == "gradients" and (any(is_inside(module, other) for other in around) or (
                    forward and finding.is_lone and not finding.key.is_local)):
                continue  # it comes back through a wrong line of the module around it; or to what one side alone has
            if finding.lane == lane:
                first = places.setdefault(module, finding)
                if finding.anew and finding.twin != first.twin:
                    places.setdefault((module, finding.twin), finding)
        return list(places.values()) or ([self.first] if self.first else [])

    @property
    def verdict(self) -> str:
        """"same", "diverged", or "undecided" where something that `same` promises could not be seen.

        Raises `NothingCompared` where nothing was: that is no pass.
        """
        if self.unseen and not self.diverged:
            raise NothingCompared(f"{self.subject}: {self.unseen}")
        if self.compared <= self.census and not self.diverged and not self.undecided:
            raise NothingCompared(f"{self.subject}: no value of the two programs could be compared; are the models run, "
                                  f"and do their module names agree?")
        return "diverged" if self.diverged else "undecided" if self.undecided else "same"

    def forgive(self, cause: str) -> None:
        """What diverged is noise, for this cause."""
        self.counts[Verdict.NOISE] += self.counts[Verdict.DIVERGED]
        self.counts[Verdict.DIVERGED] = 0
        self.findings = [with_changes(f, verdict=Verdict.NOISE, cause=cause) if f.verdict is Verdict.DIVERGED else f
                         for f in self.findings]

    def settle(self, decided: Callable[[Finding], bool], cause: str) -> None:
        """What was undecided, and is decided elsewhere, is noise, for this cause."""
        for number, finding in enumerate(self.findings):
            if finding.verdict is Verdict.UNDECIDED and decided(finding):
                self.counts[Verdict.UNDECIDED] -= 1
                self.counts[Verdict.NOISE] += 1
                self.findings[number] = with_changes(finding, verdict=Verdict.NOISE, cause=cause)

    def acquit(self) -> None:
        """What one side alone computes inside of the program, or hands to a module in another place, is uncompared in the free run
        as well where the replay says that nothing comes of it, there and in the modules inside, and something else diverges: in
        a free run all that is made of it may be wrong for another reason."""
        lone = [f for f in self.findings if (f.is_lone or (f.of_another_kind and not f.key.is_local)) and not f.promised
                and f.key.stage != "gradients"]  # where no gradient comes back, the graph may be cut: that is no value to acquit
        harmful = [f for f in lone if f.run == "replay" and f.verdict is Verdict.DIVERGED]
        harmless = {f.key: f for f in lone if f.run == "replay" and f.verdict is Verdict.UNCOMPARED
                    and not any(other.key.is_inside(f.key.module) for other in harmful)}
        known = {f.key for f in lone if f.run == "free" and f.verdict is Verdict.DIVERGED and f.key in harmless}
        if len(known) == sum(f.run == "free" for f in self.diverged):
            return
        self.findings = [with_changes(f, verdict=Verdict.UNCOMPARED, cause=harmless[f.key].cause)
                         if f.run == "free" and f.verdict is Verdict.DIVERGED and f.key in known else f for f in self.findings]
        self.counts[Verdict.DIVERGED] -= len(known)
        self.counts[Verdict.UNCOMPARED] += len(known)

    def _convict(self) -> None:
        """A local that is wrong in the replay is so in the free run, too, where it went apart there before all that diverges, and
        was left open for how it is written. Operations are partners by their name and number alone: they are no such locals. Nor
        is one that has what the reference has under another name: an earlier value of a name that is bound more often here."""
        first = min((f.order for f in self.diverged if f.run == "free"), default=None)
        wrong = {f.key for f in self.diverged if (f.run, f.key.stage) == ("replay", "forward") and f.key.is_local
                 and f.key.function != OPERATION and f.deviation.index is not None and not _is_another_value(f)}
        for number, finding in enumerate(self.findings):
            if (finding.verdict is Verdict.UNCOMPARED and finding.run == "free" and finding.key in wrong and first is not None
                    and finding.order < first and finding.deviation.index is not None and finding.floor_multiple > M):
                self.findings[number] = with_changes(finding, verdict=Verdict.DIVERGED, cause=None)
                self.counts[Verdict.UNCOMPARED] -= 1
                self.counts[Verdict.DIVERGED] += 1

    def place(self) -> None:
        """Give a divergence its place that has come to be the first of its run since that was judged: what came before it was
        acquitted, or explained."""
        self._convict()
        for run, (known, place) in self.placing.items():
            own = [finding for finding in self.findings if (finding.run, finding.lane) == (run, "float64")]
            first = first_diverged(own)
            if first is not None and first.key != known and first.key.stage != "census":
                anew = {finding.key: finding for finding in place(own)}
                self.findings = [anew[f.key] if (f.run, f.lane) == (run, "float64") else f for f in self.findings]
                self.placing = self.placing | {run: Placing(first.key, place)}

    def add(self, other: Report) -> None:
        """Take over what another comparison saw."""
        self.findings += other.findings
        self.counts += other.counts
        self.modules += other.modules
        for module, multiple in other.farthest.items():
            self.farthest[module] = max(multiple, self.farthest.get(module, 0.0))
        self.kinks += other.kinks
        self.placing = self.placing | other.placing
        self.census += other.census
        self.remarks += [remark for remark in other.remarks if remark not in self.remarks]
        self.unseen = self.unseen or other.unseen
        for mine, theirs in ((self.largest, other.largest), (self.multiples, other.multiples)):
            for lane, stages in theirs.items():
                for stage, value in stages.items():
                    known = mine.setdefault(lane, {})
                    known[stage] = max(value, known.get(stage, 0.0))

    def to_json(self) -> dict:
        counts = {verdict.value: self.counts[verdict] for verdict in Verdict}
        first = self.first
        return {"subject": self.subject, "verdict": self.verdict, "counts": {"compared": self.compared, **counts},
                "first": first.to_json() if first else None, "findings": [f.to_json() for f in self.findings],
                "counterfactual": self.counterfactual.to_json() if self.counterfactual else None,
                "largest_relative": self.largest, "largest_floor_multiple": self.multiples, "kinks": self.kinks,
                "remarks": self.remarks}


class NothingCompared(RuntimeError):
    """A comparison that compared nothing: a failure of its set-up, never a pass."""


def merge(name: str, reports: Iterable[Report]) -> Report:
    """One report over several subjects, in their order."""
    merged = Report(name)
    for report in reports:
        merged.add(report)
    return merged


def _around(module: str, named: Container[str]) -> str:
    """The module that calls this one; a list of modules calls nothing."""
    above, _, last = module.rpartition(".")
    while last.isdigit() and "." in above and above not in named:
        above, _, last = above.rpartition(".")
    return above


def _headline(finding: Finding) -> tuple:
    census_first = 0 if finding.key.stage == "census" else 1
    replayed = 1 if finding.run == "replay" else 0  # a replay starts from what the free run has found
    return census_first, _lane(finding.lane), replayed, finding.key.step, finding.order


def _went_into(one: Finding, other: Finding) -> bool:
    """Of two gradients of a run, whether the other may be made of the one: it came later in backward, or is the same value."""
    return ((one.lane, one.key.step, one.key.phase) == (other.lane, other.key.step, other.key.phase)
            and (one.order < other.order or one.deviation == other.deviation))


def _lane(lane: str) -> int:
    return LANES.index(lane) if lane in LANES else -1


def site_json(site: Site | None) -> dict:
    """A line as reports name it in JSON: its file, relative, and its number."""
    return {"file": relative(site.file) if site else None, "line": site.line if site else None}


def _place(site: Site | None) -> str:
    return f"{site}   {site.text}" if site else "(no such place)"


def _number(value: float | None) -> float | str | None:
    if value is None or (value == value and abs(value) != float("inf")):
        return value
    return "nan" if value != value else "inf" if value > 0 else "-inf"

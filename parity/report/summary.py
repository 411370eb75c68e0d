"""What a reader asks of a comparison: the verdict, the headline, independent places, the ladder, the figures of each case."""

from __future__ import annotations

from collections.abc import Sequence

from parity.compare.results import Result
from parity.messages import Message, say, several, term
from parity.report.circumstances import Circumstances
from parity.report.words import STAGES, agreed, divergence, largest, short, undecided, versions
from parity.verdict.findings import Finding, merge


class Summary:
    """All results of one run, and what a reader asks of them."""

    def __init__(self, results: Sequence[Result], ran: dict | None = None) -> None:
        """ran: versions of what ran elsewhere; without them those of this process."""
        self._ran = ran
        self.circumstances = Circumstances()
        self.results = list(results)
        self.merged = merge("all", [result.report for result in self.results])

    @property
    def verdict(self) -> str:
        return self.merged.verdict

    @property
    def versions(self) -> dict:
        return versions() if self._ran is None else self._ran

    @property
    def broken(self) -> list[Result]:
        return [result for result in self.results if result.report.verdict == "diverged"]

    @property
    def headline(self) -> tuple[Result, Finding] | None:
        """The first divergence of the first program that diverges: modules come before the networks they are in."""
        return next(((result, result.report.first) for result in self.broken), None)

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.results)

    def sentence(self) -> Message:
        """The verdict in one sentence."""
        if self.verdict == "undecided":
            return undecided(self.merged)
        if self.headline is None:
            runs = several("{count} run", "{count} runs", len(self.results))
            return say("The same computation: {runs}, {compared}.", runs=runs, compared=agreed(self.merged))
        result, first = self.headline
        return say("Diverged. First in {case}, stage {stage}: {where}.", case=str(result.case), stage=term(first.key.stage),
                   where=divergence(first))

    def places(self) -> list[tuple[Finding, list[Result]]]:
        """Independent faults, one for each source line: the first finding there, and the results in which it shows."""
        found: dict[object, tuple[Finding, list[Result]]] = {}
        for result in self.broken:
            for finding in result.report.places:
                line = finding.twin or finding.reference or (finding.key.module, finding.variable)
                results = found.setdefault(line, (finding, []))[1]
                if result not in results:
                    results.append(result)
        return list(found.values())

    def rungs(self) -> list[dict]:
        """The ladder: for each stage, how far apart the sides are there, and whether it is broken."""
        diverged = [finding for finding in self.merged.findings if finding.verdict.value == "diverged"]
        first = self.headline[1].key.stage if self.headline else None
        rungs = []
        for stage, meaning in STAGES.items():
            broken = sum(finding.key.stage == stage for finding in diverged)
            apart = largest(self.merged.largest, "float64", (stage,))
            measured = any(stage in stages for stages in self.merged.largest.values()) or stage == "census" or broken
            rungs.append({"stage": stage, "meaning": meaning, "broken": broken, "first": stage == first,
                          "status": "broken" if broken else "good" if measured else "not run", "title": term(stage),
                          "detail": say("largest float64 distance {distance}", distance=short(apart)) if apart is not None
                          else None})
        return rungs

    def _repr_html_(self) -> str:
        """In a notebook: the page."""
        from parity.report.page import framed, to_html
        return framed(to_html(self))

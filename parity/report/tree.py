"""The modules of what was compared, as the tree that their names make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from parity.report.words import short
from parity.verdict.findings import Finding, Report

_WORST = ("diverged", "undecided", "explained", "same")


@dataclass
class Node:
    """One module. path: its whole name. compared: values of its own that were held against each other; floors: the largest
    distance among them in float64. findings: its own. place: it goes wrong although what it is given is right. verdict: the
    worst of its own and of those below."""

    name: str
    path: str
    compared: int = 0
    floors: float | None = None
    findings: list[Finding] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    place: bool = False

    @property
    def verdict(self) -> str:
        said = {finding.verdict.value for finding in self.findings} | {child.verdict for child in self.children}
        return next((verdict for verdict in _WORST if verdict in said), "same")

    @property
    def open(self) -> bool:
        """Whether a reader is to see what is in it."""
        return self.place or any(child.open for child in self.children)

    @property
    def far(self) -> str:
        return short(self.floors)


def roots(report: Report, places: Iterable[Finding]) -> list[Node]:
    """The programs and modules, in the order in which they were compared. A name without values of its own (a list of modules) is
    a node as well. places: the independent ones."""
    known: dict[str, Node] = {}
    top: list[Node] = []

    def node(path: str) -> Node:
        if path not in known:
            above, _, name = path.rpartition(".")
            known[path] = Node(name, path)
            (node(above).children if above else top).append(known[path])
        return known[path]

    for path, compared in report.modules.items():
        node(path).compared, node(path).floors = compared, report.farthest.get(path)
    for finding in shown(report.findings):
        node(finding.key.module or finding.subject).findings.append(finding)
    for finding in places:
        node(finding.key.module or finding.subject).place = True
    return top


def shown(findings: Iterable[Finding]) -> list[Finding]:
    """What a reader asks of a module: what diverged, could not be seen, or is explained; each value once, whatever the run."""
    once = {(f.verdict, f.key, f.lane): f for f in findings if f.verdict.value in _WORST[:3]}
    return list(once.values())

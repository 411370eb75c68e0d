"""A pairing to read and to edit: whose partner each layer and tensor is, by what, and what has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parity.frameworks import Framework
from parity.pairing.census import take
from parity.pairing.correspondence import correspond
from parity.pairing.near import NearMiss
from parity.trace.source import ConstructionSites
from weights_convert import LayoutTable

_GIVEN, _NAME, _GUESS = "names", "equal names", "layer type and shape"


@dataclass(frozen=True)
class Match:
    """Two modules or tensors that are each other's: their paths, how that is known, and a module's type or a tensor's layout."""

    reference: str
    twin: str
    by: str
    what: str

    @property
    def is_piece(self) -> bool:
        """Whether it is a part of a tensor that the twin keeps in several."""
        return self.reference.endswith("]")

    def to_json(self) -> dict[str, str]:
        return {"reference": self.reference, "twin": self.twin, "by": self.by, "what": self.what}


@dataclass(frozen=True)
class Listing:
    """modules, tensors: those that have a partner, in the reference's order. wrong: name -> what is the matter with a tensor that
    has none or does not fit. near: what might have been meant for them. remarks: what was guessed."""

    modules: tuple[Match, ...]
    tensors: tuple[Match, ...]
    wrong: Mapping[str, str]
    near: tuple[NearMiss, ...]
    remarks: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.wrong

    def to_json(self) -> dict[str, Any]:
        return {"complete": self.complete, "modules": [match.to_json() for match in self.modules],
                "tensors": [match.to_json() for match in self.tensors],
                "without_partner": [{"name": name, "message": message} for name, message in self.wrong.items()],
                "near_misses": [{"reference": miss.reference, "twin": miss.twin, "why": str(miss.why)} for miss in self.near],
                "remarks": [str(remark) for remark in self.remarks]}

    def lines(self) -> Iterator[str]:
        """As Python, to be put into a pair file: `names=` with all that has another path in the twin."""
        moved = [match for match in self.modules if match.reference != match.twin]
        yield f"# {len(self.modules) - len(moved)} modules have the same path on both sides, {len(moved)} another"
        partners = {(match.reference, match.twin) for match in self.modules}
        loose = [match for match in self.tensors if (_owner(match.reference), _owner(match.twin)) not in partners]
        unfit = {_owner(name) for name in self.wrong}
        named = [*(match for match in moved if match.reference not in unfit), *(match for match in loose if not match.is_piece)]
        width = max((len(repr(match.reference)) for match in named), default=0)
        yield "names = {"
        for match in named:
            yield f"    {repr(match.reference) + ':':{width + 1}} {match.twin!r},  # {match.what}, by {match.by}"
        near = {tuple(text.partition(" ")[0] for text in (miss.reference, miss.twin)): str(miss.said()) for miss in self.near}
        near |= {(match.reference, match.twin): f"{match.what}, does not fit" for match in moved
                 if match.reference in unfit and (match.reference, match.twin) not in near}
        for (one, other), why in near.items():
            yield f"    # {one!r}: {other!r},  # {why}"
        yield "}"
        for match in loose:
            if match.is_piece:
                yield f"# {match.reference} = {match.twin}"
        for name, message in self.wrong.items():
            yield f"# {name}: {message}"
        for remark in self.remarks:
            yield f"# {remark}"


def listing(models: tuple[Any, Any], frameworks: tuple[Framework, Framework], table: LayoutTable,
            names: Mapping[str, str]) -> Listing:
    """The pairing of two networks, as `compare` would have it before anything runs. Raises NameError as `correspond`."""
    found = correspond(*models, table, names)
    census = take(*models, frameworks, (ConstructionSites(), ConstructionSites()), table, names=names)
    kinds = {path: type(module).__name__ for path, module in frameworks[0].modules(models[0])}

    def how(one: str, other: str) -> str:
        return _GIVEN if names.get(one) == other else _NAME if one == other else _GUESS

    order = {path: number for number, path in enumerate(kinds)}
    modules = sorted(((one, other) for other, one in found.modules.items()), key=lambda pair: order.get(pair[0], len(order)))
    tensors = [(key, entry.target, entry.rule) for key, entry in found.plan.entries.items() if entry.target is not None]
    return Listing(tuple(Match(one, other, how(one, other), kinds.get(one, "module")) for one, other in modules),
                   tuple(Match(one, other, how(one, other), rule) for one, other, rule in tensors),
                   {finding.name: str(finding.message) for finding in census.findings}, census.near, census.guesses)


def _owner(name: str) -> str:
    return name.rpartition(".")[0]

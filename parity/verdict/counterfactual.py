"""What remains once the places are right: the twin goes on with the reference's values there, and everything else is judged again.

A replay tells what each module does wrong although its inputs are right, but within a function what follows from a wrong line is
wrong as well, whether it has a mistake of its own or none. So the twin is replayed once more, with the reference's values of what
the lines of the places bind, or hand to a module, too.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass

from parity.messages import Message, say, several
from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION, Key
from parity.trace.source import Site
from parity.verdict.findings import RAISED, Counterfactual, Finding, Report
from parity.verdict.sinks import Against, Store


@dataclass(frozen=True)
class Righting:
    """The lines of the places, and the values that are put right: all that they bind, or hand to a module.

    float64 alone. made: all that goes wrong on these lines. certain: whether each of them has such values; else what remains may
    follow from it.
    """

    places: tuple[Finding, ...]
    keys: frozenset[Key]
    made: frozenset[Key]
    certain: bool

    @classmethod
    def of(cls, report: Report, replayed: Against, places: Sequence[Finding] | None = None) -> Righting | None:
        """replayed: the twin's replay. places: by default the report's. None where they are none that could be put right by their
        values: a tensor is missing, the twin raised, nothing shows in a replay."""
        places, keys, made, certain = tuple(report.places if places is None else places), set(), set(), True
        if not places:
            return None
        seen = (place.lane == "float64" and place.key in replayed.matched and replayed.is_off(place.key) for place in places)
        if not all(seen) or any(finding.key.stage == "census" or finding.variable == RAISED for finding in report.diverged):
            return None
        found = [finding for finding in report.diverged if (finding.run, finding.lane) == (places[0].run, "float64")]
        for place in places:
            lines = {place.twin, _handing_on(place, replayed)}
            wrong = {place.key, *(one.key for one in found if one.twin in lines and one.twin is not None)}
            here = set(filter(_can_be_given, wrong))
            keys, made = keys | here, made | wrong
            certain &= not place.deviation.trouble and (bool(here) or not place.key.is_local or place.key.stage == "gradients")
        return cls(places, frozenset(keys), frozenset(made), certain)

    def told(self, report: Report, truth: Store, replayed: Against, righted: Against,
             beside: Against | None = None) -> Counterfactual | None:
        """replayed, righted: the twin's replays, without the reference's values at the places and with them. beside: the latter
        held against the reference as it does what the frameworks are known to do differently."""
        wrong = {finding.key for finding in report.findings if finding.run == "replay" and finding.verdict is Verdict.DIVERGED}
        other = {finding.key for finding in report.findings if finding.run == "replay"} - wrong

        def order(key: Key) -> float:
            """Of a value, or of that whose gradient it is."""
            value = truth.events.get(key._replace(stage="forward") if key.stage == "gradients" else key)
            return math.inf if value is None else value.order

        forward = [key for key in self.made if key.stage != "gradients"]
        last = max(map(order, forward or self.made))

        def comes_through(key: Key) -> bool:
            """Of a gradient: whether it was made by a place's own way back."""
            return key.stage == "gradients" and key in wrong | other and (order(key) <= last or order(key) == math.inf)

        def is_of_another(place: Finding) -> bool:
            """Of a gradient: whether it may be made on the way back of another place, whose module it is in."""
            return comes_through(place.key) and any(key.module == place.key.module or place.key.module.startswith(f"{key.module}.")
                                                    for key in forward)

        def left(key: Key) -> bool:
            return key not in self.made and key.function != OPERATION and not comes_through(key)

        differing = [key for key in righted.matched if key not in other and righted.is_off(key)
                     and (beside is None or key not in beside.matched or beside.is_off(key))]
        differing += [key for key in wrong if key not in righted.matched and key in replayed.matched]
        remaining = [key for key in differing if left(key)]
        behind = [finding.key for finding in report.diverged if finding.run == "free" and finding.lane == "float64"
                  and left(finding.key)]
        agree = [key for key in behind if key in righted.matched and key not in remaining]
        if (remaining or len(agree) < len(behind)) and not self.certain:
            return None
        first = min((key for key in remaining if key in truth.events), key=lambda key: truth.events[key].order, default=None)
        site = righted.matched[first][0].site if first in righted.matched else None
        lines = dict.fromkeys(place.twin or place.reference or place.key for place in self.places if not is_of_another(place))
        said = _sentence(len(lines), len(behind), len(agree), first, site)
        return Counterfactual(len(lines), len(behind), len(agree), first, site, said,
                              tuple(line for line in lines if isinstance(line, Site)))


def _can_be_given(key: Key) -> bool:
    """Whether the program can be made to go on with another value of that name."""
    if key.stage == "gradients" or key.function == OPERATION:
        return False
    return not key.variable.startswith(("return", "argument ")) if key.is_local else key.variable.startswith("input")


def _handing_on(place: Finding, replayed: Against) -> Site | None:
    """Of the result of a helper function: the line that calls it, where that does nothing but bind it."""
    if not (place.key.is_local and place.variable == "return" and place.key in replayed.matched):
        return None
    called = replayed.matched[place.key][0].called
    try:
        (statement,) = ast.parse(called.text).body if called is not None else ()
    except (SyntaxError, ValueError):
        return None
    return called if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call) else None


def _sentence(places: int, behind: int, agree: int, first: Key | None, site: Site | None) -> Message:
    if first is not None or agree < behind:
        if first is not None and site is not None:
            return say("with the reference's values there something else is left: {agree} of {behind} values behind agree; next is "
                       "{value} at {site}", agree=agree, behind=behind, value=str(first), site=str(site))
        return say("with the reference's values there something else is left: {agree} of {behind} values behind agree",
                   agree=agree, behind=behind)
    if not behind and places == 1:
        return say("this line alone accounts for all that differs: nothing behind it went apart")
    if places == 1:
        return say("this line alone accounts for everything behind it ({behind} of {behind} values agree once it is right)",
                   behind=behind)
    return several("this line does not account for everything: {count} more place remains; once both are right, {behind} of "
                   "{behind} values behind agree",
                   "this line does not account for everything: {count} more places remain; once all are right, {behind} of "
                   "{behind} values behind agree", places - 1, behind=behind)

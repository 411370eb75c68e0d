"""The counterfactual: the twin's replay once more, with the reference's values at the places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from parity.compare.ladder import Both, Kept
from parity.differences.explaining import imitating
from parity.verdict.counterfactual import Righting
from parity.verdict.findings import Counterfactual, Report
from parity.verdict.sinks import Store

if TYPE_CHECKING:
    from parity.differences.difference import Difference


def righted(both: Both, kept: Kept, report: Report, known: Sequence[Difference] = ()) -> Counterfactual | None:
    """What remains of what has diverged, once the places are right. None where that cannot be told.

    kept: the runs that the report was made of. known: what the frameworks do differently in them; where something remains that the
    reference does as well under these, it is none of the twin's.
    """
    if kept.truth is None or kept.replayed is None or (righting := Righting.of(report, kept.replayed)) is None:
        return None
    against = kept.replayed
    if righting.keys:
        against = kept.replayed.anew()
        if both.twin("float64", against, replayed=kept.truth, righted=righting.keys) is not None:
            return None
    told = righting.told(report, kept.truth, kept.replayed, against)
    if told is None or told.remains is None or not known:
        return told
    imitated = Store()
    with imitating(known):
        both.reference("float64", imitated, replayed=kept.truth, measure=False)
    beside = kept.replayed.anew(imitated)
    both.twin("float64", beside, replayed=kept.truth, righted=righting.keys)
    return righting.told(report, kept.truth, kept.replayed, against, beside)

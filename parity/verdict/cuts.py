"""Where a graph ends on one side alone: all values agree, and gradients come back to one of them here and to none of it there."""

from __future__ import annotations

from dataclasses import replace

from parity.messages import say
from parity.numbers.arrays import Verdict
from parity.trace.events import Event, Key
from parity.verdict.causes import cause_of_cut
from parity.verdict.findings import Finding, Order, Report
from parity.verdict.sinks import Against, Store


def cut(found: list[Finding], truth: Store, against: Against, report: Report) -> list[Finding]:
    """The findings with the place of the cut before all others, where the first divergence is one of gradients.

    Of the locals whose values agree and whose gradients one side alone has, it is that which is made first: what is made of it has
    none either.
    """
    diverged = [finding for finding in found if finding.verdict is Verdict.DIVERGED]
    first = min(diverged, key=lambda finding: finding.order, default=None)
    if first is None or any(finding.key.stage not in ("gradients", "update", "state") for finding in diverged):
        return found
    bad = {finding.key for finding in found if finding.verdict not in (Verdict.NOISE, Verdict.EXPLAINED)}
    ends = [(value, finding) for finding in found if finding.verdict is Verdict.UNCOMPARED and _lone(finding.key, against)
            and (value := _value(finding.key, truth)) is not None and value.key in against.matched.keys() - bad]
    if not ends:
        return found
    value, end = min(ends, key=lambda one: one[0].order)
    partner, _ = against.matched[value.key]
    ours = end.key in truth.events
    report.counts[Verdict.UNCOMPARED] -= 1
    report.counts[Verdict.DIVERGED] += 1
    lacking = say("the reference has a gradient here, the twin has none") if ours else say(
        "the twin has a gradient here, the reference has none")
    placed = replace(end, verdict=Verdict.DIVERGED, order=min(end.order, Order.before(first.order.at)),
                     reference=value.site, twin=partner.site, last_good=first.last_good, last_good_site=first.last_good_site,
                     deviation=replace(end.deviation, trouble=lacking),
                     cause=cause_of_cut(value, partner, "twin" if ours else "reference"))
    return [placed if finding is end else finding for finding in found]


def _lone(key: Key, against: Against) -> bool:
    return key.stage == "gradients" and key.is_local and "(backward" not in key.variable and key not in against.matched


def _value(key: Key, truth: Store) -> Event | None:
    """The value that this is the gradient of."""
    return next((event for stage in ("forward", "losses") if (event := truth.events.get(key._replace(stage=stage)))), None)

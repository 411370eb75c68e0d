"""What the networks are fed."""

from __future__ import annotations

from collections.abc import Iterator

from parity.doctor.checks.case import Case
from parity.doctor.finding import Finding
from parity.wording import say

LARGE = 20.0  # inputs brought to mean 0 and spread 1 stay below it


def shapes(case: Case) -> Iterator[Finding]:
    for iteration in case.iterations:
        for name, one, other, site in iteration.broadcasts:
            yield Finding(
                "loss-broadcast",
                name,
                say("{name} of {one} and {other}: each prediction is held against every target", name=name, one=list(one),
                    other=list(other)),
                site=site,
                iteration=iteration.number,
            )
            return


def ranges(case: Case) -> Iterator[Finding]:
    seen = set()
    for iteration in case.iterations[:2]:
        for batch in iteration.batches:
            if max(abs(batch.low), abs(batch.high)) > LARGE and batch.network not in seen:
                seen.add(batch.network)
                pictures = len(batch.shape) == 4 and batch.low >= 0
                values = {"network": batch.network, "low": batch.low, "high": batch.high}
                yield Finding(
                    "input-range",
                    batch.network,
                    say("the input of {network} is in [{low:.3g}, {high:.3g}]: pictures as bytes, 0 to 255", **values) if pictures
                    else say("the input of {network} is in [{low:.3g}, {high:.3g}], far from mean 0 and spread 1", **values),
                    say("mean {mean:.3g}", mean=batch.mean),
                    batch.site,
                    iteration.number,
                )


def repeats(case: Case) -> Iterator[Finding]:
    """A batch that never changes; batches that come in the same order at each epoch."""
    rows = [tuple(batch.hash for batch in iteration.batches) for iteration in case.iterations]
    if len(rows) < 3 or not all(rows):
        return
    site = case.iterations[0].batches[0].site
    if len(set(rows)) == 1:
        yield Finding(
            "batch-constant",
            case.iterations[0].batches[0].network,
            say("all {count} iterations saw the very same batch", count=len(rows)),
            site=site,
            iteration=3,
        )
        return
    for period in range(2, len(rows) // 2 + 1):
        if all(row == rows[index % period] for index, row in enumerate(rows)):
            yield Finding(
                "order-repeats",
                case.iterations[0].batches[0].network,
                say("the same {period} batches come again in the same order: nothing is shuffled between epochs", period=period),
                say("{count} iterations, period {period}", count=len(rows), period=period),
                site,
                2 * period,
            )
            return


def labels(case: Case) -> Iterator[Finding]:
    rows: dict[str, list] = {}
    for iteration in case.iterations:
        for seen in iteration.labels:
            rows.setdefault(seen.name, []).append((iteration.number, seen))
    for name, seen in rows.items():
        large = [entry for entry in seen if entry[1].size >= 4]
        if len(large) >= 3 and all(entry[1].classes == 1 for entry in large):
            yield Finding(
                "labels-sorted",
                name,
                say("each batch holds one class only ({name}: {labels}, ...)", name=name,
                    labels=", ".join(str(entry[1].first) for entry in large[:6])),
                site=large[0][1].site,
                iteration=large[2][0],
            )


CHECKS = (shapes, ranges, repeats, labels)

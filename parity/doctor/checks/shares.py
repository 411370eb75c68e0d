"""Parts of a loss that get no share of its gradient, or nearly all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import ignoring_site
from parity.doctor.finding import Finding
from parity.doctor.record import Reduction
from parity.messages import say

FEWEST = 8  # examples of a class: of fewer it may be chance that none gets a gradient


def classes(case: Case) -> Iterator[Finding]:
    """Labels whose examples never get a gradient, while those of others do."""
    words = any("Embedding" in type(module).__name__ for module in case.program.modules.values())
    by_site: dict[tuple, list] = {}
    for iteration in case.iterations:
        for seen in iteration.class_gradients:
            if seen.rows and seen.site is not None:
                by_site.setdefault((seen.site, seen.classes), []).append(seen)
    for (site, count), all_ in by_site.items():
        examples, alive = Counter(), Counter()
        for seen in all_:
            for label, (rows, told) in seen.rows.items():
                if not count or (0 <= label < count and label not in seen.padded):
                    examples[label] += rows
                    alive[label] += told
        dead = [label for label, rows in examples.items() if rows >= FEWEST and not alive[label]]
        filled = {label for seen in all_ for label in seen.padded if label in seen.rows and seen.rows[label][1]}
        if len(dead) == 1 and filled and len(all_) > 1:
            yield Finding("class-without-gradient", "loss", say(
                "the {count} examples with the label {label:g} get no gradient, and those with {other:g}, which fills up the ends "
                "of rows, do: is another label to be ignored?", count=examples[dead[0]], label=dead[0], other=min(filled)),
                          site=ignoring_site(case, int(dead[0])) or site, iteration=1)
            continue
        if len(dead) != 1 or 2 * alive.total() < examples.total() - examples[dead[0]] or (count and words):
            continue  # where words are numbered, one of the numbers may stand for no word
        yield Finding("class-without-gradient", "loss", say(
            "none of the {count} examples with the label {label:g} gets a gradient, those with others do: on purpose?",
            count=examples[dead[0]], label=dead[0]),
                      "" if count else say("the labels are {labels}", labels=", ".join(f"{label:g}" for label in sorted(examples))),
                      (ignoring_site(case, int(dead[0])) if count else None) or site, 1)


HEAVY = 1000.0  # so many times as much, by one element


def reductions(case: Case) -> Iterator[Finding]:
    """A term that is a sum over the batch beside one that is its mean."""
    iterations = [iteration for iteration in case.iterations if iteration.close and iteration.backwards]
    heavy = [_heaviest(iteration.reductions) for iteration in iterations]
    if not heavy or None in heavy or len({one.site for one, _ in heavy}) > 1:
        return
    one, other = heavy[0]
    if abs(one.weight * one.value) < abs(other.weight * other.value):  # later, its part may be all that has been learned
        return
    yield Finding("loss-drowned", "loss", say(
        "one term of the loss is a sum of {count} elements, another a mean of {others}: an element of the first weighs {ratio:.3g} "
        "times one of the second, on purpose?", count=one.count, others=other.count, ratio=abs(_each(one) / _each(other))),
                  say("the mean is taken at {place}: {line}", place=other.site, line=other.site.text), one.site,
                  iterations[0].number, say("take both by the same rule: a mean over the batch of sums over each example, say"))


def _heaviest(seen: list[Reduction]) -> tuple[Reduction, Reduction] | None:
    """A sum over a batch, and a mean over the same number of examples that it outweighs."""
    weighed = [one for one in seen if one.weight and one.backward is not None]  # not of a gradient for its own sake
    for one in weighed:
        for other in weighed:
            if (one.backward == other.backward and one.kind == "sum" and other.kind == "mean"
                    and one.rows == other.rows > 1 and abs(one.weight) * one.rows > 2
                    and abs(_each(one)) > HEAVY * abs(_each(other))):
                return one, other
    return None


def _each(one: Reduction) -> float:
    """The weight of one element in the loss."""
    return one.weight if one.kind == "sum" else one.weight / one.count


def scales(case: Case) -> Iterator[Finding]:
    """A parameter that scales the whole loss, and that nothing holds back."""
    close = [iteration for iteration in case.iterations if iteration.close and iteration.backwards]
    names = [{name for _, name in iteration.scaled} for iteration in close]
    for name in sorted(set.intersection(*names)) if len(names) > 1 else ():
        yield Finding("loss-scaled-away", name, say(
            "{name} scales the whole loss, and nothing holds it: the loss falls to 0 by it alone, on purpose?", name=name),
                      say("its gradient is minus the loss itself"), case.loss_site(), close[0].number)


CHECKS = (classes, reductions, scales)

"""What only the course of the loss shows, within a window of iterations."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import scheduler_calls
from parity.doctor.finding import Finding
from parity.wording import say

WINDOW = 20  # iterations after which a loss should have left the value of chance
STUCK = 8  # iterations after which a scheduler that is stepped at each of them has shown itself
DROWNED = 100.0  # so many times all other terms together

# Only a logarithmic loss has its value of chance at ln C; a squared one may be at 0.69 as well.
_LOGARITHMIC = re.compile(r"cross_entropy|bce|nll|log_softmax|log\(|criterion|loss_fn|ce_loss|CrossEntropy", re.IGNORECASE)


def scheduler(case: Case) -> Iterator[Finding]:
    """A scheduler that exists and is not stepped."""
    program = case.program
    for name, optimizer in program.optimizers.items():
        if case.framework.scheduler_of(optimizer) is None or any(iteration.schedulers[name] for iteration in case.iterations):
            continue
        steps = list(case.steps(name))
        if len({step.lr for _, step in steps}) > 1 or not steps:
            continue
        if not scheduler_calls(case):
            yield Finding("scheduler-stuck", name, say("{optimizer} has a scheduler that nothing steps: lr stays at {lr:.3g}",
                                                         optimizer=name, lr=steps[0][1].lr),
                          say("no line calls step() on it"), program.optimizer_site(name), 1)
        elif len(steps) >= STUCK:
            yield Finding(
                "scheduler-idle",
                name,
                say("the scheduler of {optimizer} was not stepped in {count} iterations: once an epoch, on purpose?",
                    optimizer=name, count=len(steps)),
                site=program.optimizer_site(name),
                iteration=STUCK,
            )


def constant(case: Case) -> Iterator[Finding]:
    rows = [tuple(loss for backward in iteration.backwards for loss in backward.losses) for iteration in case.iterations]
    if len(rows) >= 4 and all(rows) and len(set(rows)) == 1 and all(map(math.isfinite, rows[0])):
        yield Finding("loss-constant", "loss", say("the loss is {loss:.6g} in all {count} iterations, to the last bit",
                                                    loss=rows[0][0], count=len(rows)),
                      site=case.iterations[0].backwards[0].site, iteration=4)


def drowned(case: Case) -> Iterator[Finding]:
    """A term whose weight leaves the others no say: weight and value, from the backward itself."""
    heavy: dict[str, list[float]] = {}
    counted = 0
    for iteration in case.iterations:
        functions = {backward.function for backward in iteration.backwards}
        terms = [term for term in iteration.terms.values() if term.base and term.weight and term.function in functions]
        if len(terms) < 2:
            continue
        counted += 1
        shares = {(term.name, term.site): abs(term.weight * term.value) for term in terms}
        first = max(shares, key=shares.__getitem__)
        rest = sum(shares.values()) - shares[first]
        if rest and shares[first] > DROWNED * rest:
            heavy.setdefault(first, []).append(shares[first] / rest)
    for (name, site), ratios in heavy.items():
        if len(ratios) == counted:
            yield Finding(
                "loss-drowned",
                name,
                say("{name} weighs {ratio:.3g} times all other terms of the loss together: on purpose?", name=name,
                    ratio=statistics.median(ratios)),
                site=site,
                iteration=1,
            )


def chance(case: Case) -> Iterator[Finding]:
    """A loss that sits where guessing puts it: ln C, or a sum of several ln 2."""
    if len(case.iterations) < WINDOW:
        return
    classes = {seen.classes for iteration in case.iterations for seen in iteration.labels}
    classes = {max(classes)} if classes else set()
    values = {f"{count} ln 2" if count > 1 else "ln 2": count * math.log(2) for count in (1, 2, 4)}
    curves: dict[str, list] = {}
    weighed = {key for iteration in case.iterations for key, term in iteration.terms.items() if term.weight}
    for iteration in case.iterations:
        for key, term in iteration.terms.items():
            if key in weighed and _LOGARITHMIC.search(term.site.text):
                curves.setdefault(key, []).append(term)
    for terms in curves.values():
        if len(terms) < WINDOW:
            continue
        course = [term.value for term in terms]
        early, late = statistics.fmean(course[:WINDOW // 2]), statistics.fmean(course[-WINDOW // 2:])
        # Where the number of classes is known, a loss a little above chance is as telling: it learns by heart what means nothing.
        ranges = {name: (value, 0.97 * value, 1.03 * value) for name, value in values.items()}
        ranges |= {
            f"ln {count}": (math.log(count), 0.97 * math.log(count), 1.25 * math.log(count)) for count in classes if count > 1
        }
        for name, (value, low, high) in ranges.items():
            if low < late < high and late > 0.985 * min(early, value):
                yield Finding(
                    "loss-at-chance",
                    terms[0].name,
                    say("{name} stays at {late:.4g}: that is {chance} = {value:.4g}, the value of guessing", name=terms[0].name,
                        late=late, chance=name, value=value),
                    say("mean of the last {window} of {count} iterations; of the first: {early:.4g}", window=WINDOW // 2,
                        count=len(course), early=early),
                    terms[0].site,
                    WINDOW,
                )
                return


CHECKS = (scheduler, constant, drowned, chance)

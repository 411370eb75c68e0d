"""What only the course of the loss shows, within a window of iterations."""

from __future__ import annotations

import ast
import functools
import math
import re
import statistics
from collections import Counter
from collections.abc import Iterator

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import is_fitted, scheduler_calls, scheduler_is_outside, scheduler_site
from parity.doctor.finding import Finding
from parity.messages import say

WINDOW = 20  # iterations after which a loss should have left the value of chance
GONE = 0.1  # of their size: before that, the logits of a fresh network have hardly moved, and a loss at chance says nothing
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
        if len({step.lr for _, step in steps}) > 1 or not steps or is_fitted(steps[0][1].site):
            continue
        if not scheduler_calls(case):
            yield Finding("scheduler-stuck", name, say("{optimizer} has a scheduler that nothing steps: lr stays at {lr:.3g}",
                                                         optimizer=name, lr=steps[0][1].lr),
                          say("no line calls step() on it"), scheduler_site(case, name), 1)
        elif len(steps) >= STUCK and not scheduler_is_outside(case, steps[0][1].site):
            yield Finding(
                "scheduler-idle",
                name,
                say("the scheduler of {optimizer} was not stepped in {count} iterations: once an epoch, on purpose?",
                    optimizer=name, count=len(steps)),
                site=scheduler_site(case, name),
                iteration=STUCK,
            )


MOVES = 1e-4  # of a weight's size: steps of that much along a gradient change a loss in float32


def _moves_by_it(case: Case) -> bool:
    """Whether all steps that were watched closely move weights along gradients that are not 0: then it is the number that tells
    nothing (a loss that is divided by its own value), and not the training that stands still."""
    steps = [step for _, step in case.steps() if step.updates]
    return bool(steps) and all(any(update.gradient and update.weight and update.change > MOVES * update.weight
                                   for update in step.updates.values()) for step in steps)


def constant(case: Case) -> Iterator[Finding]:
    rows = [tuple(loss for backward in iteration.backwards for loss in backward.losses) for iteration in case.iterations]
    if len(rows) >= 4 and all(rows) and len(set(rows)) == 1 and all(map(math.isfinite, rows[0])) and not _moves_by_it(case):
        yield Finding("loss-constant", "loss", say("the loss is {loss:.6g} in all {count} iterations, to the last bit",
                                                    loss=rows[0][0], count=len(rows)),
                      site=case.loss_site(), iteration=4)


def drowned(case: Case) -> Iterator[Finding]:
    """A term whose weight leaves the others no say: weight and value, from the backward itself."""
    heavy: dict[tuple, list[float]] = {}
    counted: Counter = Counter()
    for iteration in case.iterations:
        functions = {(term.site.file, term.function) for term in iteration.terms.values()}
        for function in functions:  # the step itself, or what computes its loss
            terms = [term for term in iteration.terms.values() if term.base and term.weight
                     and (term.site.file, term.function) == function]
            if len(terms) < 2:
                continue
            counted[function] += 1
            shares = {(term.name, term.site): abs(term.weight * term.value) for term in terms}
            first = max(shares, key=shares.__getitem__)
            rest = sum(shares.values()) - shares[first]
            weights = {(term.name, term.site): abs(term.weight) for term in terms}
            lead = weights.pop(first) / max(weights.values())  # a term may be small today; it is its weight that someone chose
            if rest and shares[first] > DROWNED * rest and lead >= DROWNED:
                heavy.setdefault((*first, function), []).append((shares[first] / rest, lead))
    for (name, site, function), seen in heavy.items():
        ratios, leads = zip(*seen, strict=True)
        if len(ratios) == counted[function] and max(leads) < 1.5 * min(leads):  # else the weights are on their way
            yield Finding(
                "loss-drowned",
                name,
                say("{name} weighs {ratio:.3g} times all other terms of the loss together: on purpose?", name=name,
                    ratio=statistics.median(ratios)),
                site=site,
                iteration=1,
            )


def _barely_moves(case: Case) -> bool:
    """Whether nothing can be expected of the loss yet: the learning rate is on its way up, or the weights have gone less than
    `GONE` of their size, all steps together, by the median change of the steps that were watched closely."""
    ratios = [update.change / update.weight for _, step in case.steps() for update in step.updates.values()
              if update.changed and update.weight]
    rising = any(len(lrs := [step.lr for _, step in case.steps(name)]) > 1 and lrs[-1] > 1.2 * lrs[0]
                 for name in case.program.optimizers)
    steps = max((sum(1 for _ in case.steps(name)) for name in case.program.optimizers), default=0)
    return rising or (bool(ratios) and steps * statistics.median(ratios) < GONE)


@functools.cache
def _is_logarithmic(line: str) -> bool:
    """Whether all that the line adds up is: cross entropy and Dice together are at chance elsewhere."""
    try:
        (statement,) = ast.parse(line.strip()).body
        waiting, addends = [statement.value], []
    except (SyntaxError, ValueError, AttributeError):  # a piece of a statement
        return bool(_LOGARITHMIC.search(line))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            waiting += [node.left, node.right]
        else:
            addends.append(node)
    return all(_LOGARITHMIC.search(ast.unparse(node)) for node in addends)


def chance(case: Case) -> Iterator[Finding]:
    """A loss that sits where guessing puts it: ln C, or a sum of several ln 2. A slow learner may sit there too, or a GAN's
    discriminator: a warning."""
    if len(case.iterations) < WINDOW:
        return
    classes = set().union(*(iteration.classes for iteration in case.iterations))
    if not classes:
        counted = {seen.classes for iteration in case.iterations for seen in iteration.labels}
        classes = {max(counted)} if counted else set()
    values = {f"{count} ln 2" if count > 1 else "ln 2": count * math.log(2) for count in (1, 2, 4)}
    curves: dict[str, list] = {}
    constant_ = {site for iteration in case.iterations for *_, low, high, site in iteration.judged if low == high}
    mixed = {site for iteration in case.iterations for *_, low, high, site in iteration.judged if low != high}
    weighed = {key for iteration in case.iterations for key, term in iteration.terms.items() if term.weight}
    for iteration in case.iterations:
        for key, term in iteration.terms.items():
            if term.site in constant_ - mixed:  # one label alone: to guess that is 0; a discriminator's part may stay at ln 2
                continue
            if key in weighed and _is_logarithmic(term.site.text):
                curves.setdefault(key, []).append(term)
    if _barely_moves(case) or case.tells_apart(WINDOW // 2):
        return
    for terms in curves.values():
        if len(terms) < WINDOW:
            continue
        course = [term.value for term in terms]
        early, late = statistics.fmean(course[:WINDOW // 2]), statistics.fmean(course[-WINDOW // 2:])
        # Where the number of classes is known, a loss a little above chance is as telling: it learns by heart what means nothing.
        ranges = {name: (value, 0.97 * value, 1.03 * value) for name, value in values.items() if not classes or max(classes) <= 2}
        ranges |= {
            f"ln {count}": (math.log(count), 0.97 * math.log(count), 1.25 * math.log(count)) for count in classes if count > 1
        }
        for name, (value, low, high) in ranges.items():
            # From above it may come down to chance and stay there; on its way down it has no chance yet.
            if low < late < high and late > 0.985 * (min(early, value) if late < 1.03 * value else early):
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


_DIVERGENCE = re.compile(r"(?:^|_)kld?(?:_|$|loss)|kl_?div|kullback", re.IGNORECASE)


def divergence(case: Case) -> Iterator[Finding]:
    """What is called a divergence, which is never below 0, and is counted with the sign that lets it grow without bound."""
    seen: dict[str, list] = {}
    for iteration in case.iterations:
        for key, term in iteration.terms.items():
            if _DIVERGENCE.search(term.name):
                seen.setdefault(key, []).append(term)
    for terms in seen.values():
        slopes = [term.slope for term in terms if term.slope]
        wrong = len(terms) > 2 and slopes and all(slope * term.value < 0 for slope in slopes for term in terms)
        if wrong:
            yield Finding("divergence-grows", terms[0].name, say(
                "{name} is {value:.3g}, and the loss counts it {weight:.3g} times: a divergence is never below 0, and this one is "
                "made larger, without bound", name=terms[0].name, value=terms[0].value, weight=slopes[0]),
                          site=terms[0].site, iteration=3)
            return


CHECKS = (divergence, scheduler, constant, drowned, chance)

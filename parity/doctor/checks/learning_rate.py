"""Learning rates and their schedulers: zero, ignored, too large, vanishing."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import assignments_of, scheduler_calls, scheduler_site
from parity.doctor.finding import Finding
from parity.doctor.program import RATE
from parity.messages import say
from parity.trace.source import Site

SETTLED = 20  # iterations after which what learns does better than guessing
TOO_LARGE = 0.3  # of a weight's size, moved by one step (1e-3 is usual, and 1e-2 still trains)


def learning_rate(case: Case) -> Iterator[Finding]:
    program = case.program
    for name, optimizer in program.optimizers.items():
        steps = list(case.steps(name))
        if not steps:
            continue
        scheduled = case.framework.scheduler_of(optimizer) is not None
        site = program.optimizer_site(name, RATE)
        lrs = [step.lr for _, step in steps]
        stuck = scheduled and not any(iteration.schedulers[name] for iteration in case.iterations) and not scheduler_calls(case)
        if not any(lrs) and (len(lrs) > 1 or not scheduled) and not stuck and not case.iterations[-1].lrs.get(name):
            where = scheduler_site(case, name) if scheduled else site
            yield Finding("lr-zero", name, say("the learning rate of {optimizer} is 0", optimizer=name), site=where, iteration=1)
        for iteration, step in steps:
            if step.effective_lr is not None and not math.isclose(step.effective_lr, step.lr, rel_tol=1e-4, abs_tol=1e-12):
                yield Finding(
                    "lr-ignored",
                    name,
                    say("{optimizer} says lr {said:.3g} and steps with {used:.3g}: it was assigned after the first step, which is "
                        "ignored", optimizer=name, said=step.lr, used=step.effective_lr),
                    site=assignments_of(case, "_learning_rate") or site,
                    iteration=iteration.number,
                )
                break
        searched = type(optimizer).__name__ == "LBFGS"  # its lr is a share of a step that it has found itself
        start = _first_step(case, optimizer)
        first = next((step.updates for _, step in steps if step.updates), {})
        sized = {key for key, update in first.items() if update.weight}  # what starts at 0 has no size but what it was moved by
        large = [] if searched else [ratio for _, step in steps if (ratio := _relative(
            update for key, update in step.updates.items() if key in sized)) is not None]
        if large and min([large[0] / start, *large[1:2]]) > TOO_LARGE and not _falls(case, name):
            yield Finding("lr-too-large", name, say("one step of {optimizer} moves its parameters by {ratio:.2g} times their "
                                                      "own size", optimizer=name, ratio=large[0]),
                          say("lr {lr:.3g}; 1e-3 of it is usual", lr=lrs[0]), site, 1)
        often = [iteration for iteration in case.iterations
                 if iteration.schedulers[name] > max(1, sum(step.optimizer == name for step in iteration.steps))]
        vanished = [iteration for iteration, step in steps if scheduled and step.lr < 1e-3 * max(lrs)]
        if often:
            count = often[0].schedulers[name]
            yield Finding("scheduler-too-often", name, say("the scheduler of {optimizer} is stepped {count} times an iteration",
                                                            optimizer=name, count=count),
                          say("lr {first:.3g} at first, {last:.3g} after {count} iterations", first=lrs[0], last=lrs[-1],
                              count=len(case.iterations)),
                          often[0].scheduler_sites.get(name), often[0].number)
        # At the last step a schedule may be at its end, as it was built for.
        elif len(vanished) > 2 and lrs.index(max(lrs)) < lrs.index(min(lrs)):
            yield Finding(
                "scheduler-too-often",
                name,
                say("the learning rate of {optimizer} fell from {high:.3g} to {low:.3g} within {count} iterations", optimizer=name,
                    high=max(lrs), low=min(lrs), count=len(case.iterations)),
                site=vanished[0].scheduler_sites.get(name) or site,
                iteration=vanished[0].number,
            )


STANDSTILL = 1e-6  # of a weight's size, moved by one step: float32 holds 6e-8 of it, and a thousand such steps are 1e-3
SMALL = 1e-4  # learning rates from there on are not to blame for small steps: the gradient is


def too_small(case: Case) -> Iterator[Finding]:
    """Steps that move next to nothing, by a learning rate that is not on its way up."""
    for name in case.program.optimizers:
        steps = list(case.steps(name))
        lrs = [step.lr for _, step in steps]
        ratios = [update.change / update.weight for _, step in steps for update in step.updates.values()
                  if update.gradient and update.weight and update.weight > 0]
        if len(steps) < 3 or not ratios or not 0 < max(lrs) < SMALL or lrs[-1] > lrs[0]:
            continue
        ratio = statistics.median(ratios)
        if 0 < ratio < STANDSTILL and case.framework.scheduler_of(case.program.optimizers[name]) is None:
            yield Finding("lr-too-small", name, say(
                "a step of {optimizer} moves its parameters by {ratio:.1g} of their size: a thousand of them are next to nothing",
                optimizer=name, ratio=ratio), say("lr {lr:.3g}; 1e-3 of it is usual", lr=lrs[0]),
                          case.program.optimizer_site(name, RATE), 3)


TINY = 1e-5  # of a weight's size, moved by one step: a thousand such steps are one that trains


def warming(case: Case) -> Iterator[Finding]:
    """A learning rate that is on its way up from next to nothing, and takes a step of it once an epoch."""
    for name, optimizer in case.program.optimizers.items():
        steps = list(case.steps(name))
        stepped = sum(iteration.schedulers[name] for iteration in case.iterations)
        ratios = [ratio for _, step in steps if (ratio := _relative(step.updates.values())) is not None]
        if case.framework.scheduler_of(optimizer) is None or not 0 < 2 * stepped < len(steps):
            continue
        lrs = [step.lr for _, step in steps]
        rising = all(one <= other for one, other in itertools.pairwise(lrs)) and lrs[-1] > lrs[0]
        if rising and lrs[1] == 0:
            still = next(number for number, lr in enumerate(lrs) if lr)
            yield Finding("scheduler-too-seldom", name, say(
                "the learning rate of {optimizer} is 0 in the first {count} steps: its scheduler begins at 0, and is stepped too "
                "seldom to leave it", optimizer=name, count=still), site=_stepped_at(case, name), iteration=1)
        elif rising and ratios and max(ratios) < TINY:
            yield Finding("scheduler-too-seldom", name, say(
                "the scheduler of {optimizer} was stepped {times} in {count} steps, and its learning rate is still on its way up: "
                "a step moves the parameters by {ratio:.1g} of their size", optimizer=name, times=plural(stepped, "time"),
                count=len(steps), ratio=max(ratios)),
                          say("lr {first:.3g} at first, {last:.3g} after {count} iterations", first=lrs[0], last=lrs[-1],
                              count=len(case.iterations)), _stepped_at(case, name), 1)


def _stepped_at(case: Case, optimizer: str) -> Site | None:
    return next((site for iteration in case.iterations if (site := iteration.scheduler_sites.get(optimizer))), None)


def _falls(case: Case, optimizer: str) -> bool:
    """Whether the losses that train this optimizer's parameters go down, and not to where guessing puts them: then it can afford
    its steps.

    What starts at 0 or near it, an embedding or the last layer of a flow, moves by more than its size in a healthy training.
    """
    mine = set(case.program.held_names(optimizer))
    sites = {backward.site for iteration in case.iterations for backward in iteration.backwards if backward.touched & mine}
    rows = [[backward for backward in iteration.backwards if backward.site in sites] for iteration in case.iterations]
    course = [sum(sum(backward.losses) for backward in row) for row in rows if row]
    half = (len(case.iterations) + 1) // 2
    if len(case.iterations) >= SETTLED and any(one.told for one in case.iterations[-half:]) and not case.tells_apart(half):
        return False
    return len(course) > 1 and statistics.median(course[(len(course) + 1) // 2:]) < course[0]


def _first_step(case: Case, optimizer: object) -> float:
    """How much larger than those that follow an optimizer's first step is: RMSprop's moment begins at 0, and is not corrected."""
    settings = case.framework.optimizer_settings(optimizer)
    return 1 / math.sqrt(1 - settings["rho"]) if case.framework.optimizer_kind(optimizer) == "RMSprop" else 1.0


def _relative(updates_: object) -> float | None:
    """The median of |change| / |weight|."""
    ratios = [update.change / update.weight for update in updates_ if update.changed and update.weight]
    return statistics.median(ratios) if ratios else None


GONE = 0.02  # of the learning rate, at the end of the first epoch: the rest of the training is by less
REGULAR = {"StepLR", "StepDecay", "ExponentialLR", "ExponentialDecay"}  # they go on for ever as they began


PERIODIC = {"CosineAnnealingLR", "CosineAnnealingDecay"}
IN_EPOCHS = say("step it once an epoch, if it was built for epochs, or count its steps in batches")


def by_batch(case: Case) -> Iterator[Finding]:
    """A schedule that is stepped once a batch and has let the rate die by the end of the first epoch: it was meant in epochs."""
    for name in case.program.optimizers:
        kind, numbers = case.program.schedules.get(name, ("", {}))
        rows = {batch.shape[0] for iteration in case.iterations for batch in iteration.batches if batch.training and batch.shape}
        batches = max((case.program.epochs.get(count, 0) for count in rows), default=0)
        each = [iteration.schedulers[name] for iteration in case.iterations if iteration.steps]
        if len(each) < 3 or not batches or set(each[1:-1]) != {1}:
            continue
        if kind in PERIODIC and numbers.get("T_max", batches) < batches:
            yield Finding("scheduler-too-often", name, say(
                "the scheduler of {optimizer} is stepped once a batch, and an epoch has {batches}: it is through after {steps}, "
                "and the learning rate goes up again, on purpose?", optimizer=name, batches=batches, steps=numbers["T_max"]),
                          site=_stepped_at(case, name), iteration=1, mild=True, instead=IN_EPOCHS)
        elif kind in REGULAR and (left := numbers["gamma"] ** (batches // numbers.get("step_size", 1))) < GONE:
            yield Finding("scheduler-too-often", name, say(
                "the scheduler of {optimizer} is stepped once a batch, and an epoch has {batches}: at its end the learning rate is "
                "{left:.2g} of what it was at first, on purpose?", optimizer=name, batches=batches, left=left),
                          site=_stepped_at(case, name), iteration=1, mild=True, instead=IN_EPOCHS)
        elif numbers.get("last_fall", batches) < batches and numbers["left"] < GONE:
            yield Finding("scheduler-too-often", name, say(
                "the scheduler of {optimizer} is stepped once a batch, and an epoch has {batches}: after {steps} the learning rate "
                "is {left:.2g} of what it was at first, on purpose?", optimizer=name, batches=batches, steps=numbers["last_fall"],
                left=numbers["left"]), site=scheduler_site(case, name), iteration=1, mild=True, instead=IN_EPOCHS)


DEAD = 1e-3  # of the learning rate
FEW = 0.2  # of the steps that a schedule was built for


def through(case: Case, over: bool) -> Iterator[Finding]:
    """Of a script that is over: regular schedules that had let the rate die before half of their steps were done; and schedules
    of one rise and fall that were stepped for a part of the rise alone, where it has come to its end (over)."""
    for name, scheduler in case.program.schedulers.items():
        built = getattr(scheduler, "total_steps", None)
        if over and type(scheduler).__name__ == "OneCycleLR" and isinstance(built, int) and scheduler.last_epoch < FEW * built:
            yield Finding("scheduler-too-seldom", name, say(
                "the scheduler of {optimizer} was stepped {count} and built for {built}: once an epoch, in place of once a batch?",
                optimizer=name, count=plural(scheduler.last_epoch, "time"), built=built), site=_stepped_at(case, name), iteration=1,
                          mild=True)
        kind, gamma = type(scheduler).__name__, getattr(scheduler, "gamma", None)
        if kind not in REGULAR or not isinstance(gamma, float) or not 0 < gamma < 1:
            continue
        dead = getattr(scheduler, "step_size", 1) * math.ceil(math.log(DEAD) / math.log(gamma))
        if scheduler.last_epoch > 2 * dead:
            yield Finding("scheduler-too-often", name, say(
                "the scheduler of {optimizer} was stepped {count}, and since the {dead}th of them the learning rate is below a "
                "thousandth of what it was at first, on purpose?", optimizer=name, count=plural(scheduler.last_epoch, "time"),
                dead=dead), site=_stepped_at(case, name), iteration=1, mild=True, instead=IN_EPOCHS)


CHECKS = (learning_rate, too_small, warming, by_batch)

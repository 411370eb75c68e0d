"""What a step does to the parameters: nothing, what no gradient asked for, what is put back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import casting_site, filling_site, in_each_epoch, writing_site
from parity.doctor.finding import Finding
from parity.doctor.record import Update
from parity.messages import say, several, some

ROUNDING = 1e-6  # of the gradient of its own layer's weight: what float32 leaves of a sum of some hundred terms that is 0

SLIGHT = 1e-3  # of the gradient of its own layer's weight: a bias that takes part has about as much
AT_REST = 1e-3  # of a weight's size: what is left of its gradient where a search for the minimum ends
HALF_AN_ULP = 2 ** -25  # of a number that is a power of two, in float32: what is less, added to it, leaves it as it was


def _is_rounding(name: str, seen: dict[str, list[Update]], rate: float | None) -> bool:
    """Whether it is the bias of a layer before a norm, which takes it away: its gradient is 0 but for rounding. rate: what a step
    multiplies gradients by, None where it brings them to one size first."""
    owner, _, own = name.rpartition(".")
    beside = [update for other, all_ in seen.items() if other.startswith(f"{owner}.weight") for update in all_]
    if own != "bias" or not beside:
        return False
    largest = max((update.gradient or 0.0 for update in seen[name]), default=0.0)
    share = largest / (max(update.gradient or 0.0 for update in beside) or math.inf)
    weight = min(update.weight for update in seen[name])
    return share < ROUNDING or (rate is not None and share < SLIGHT and rate * largest < HALF_AN_ULP * weight
                                and any(update.changed for update in beside))


def updates(case: Case) -> Iterator[Finding]:
    """Gradients that change nothing, changes without gradient, changes that are put back, counters that stand."""
    program = case.program
    for optimizer in program.optimizers:
        steps = [(iteration, step) for iteration, step in case.steps(optimizer) if step.backwards and step.lr]
        if not steps:
            continue
        names = program.held_names(optimizer)
        seen: dict[str, list[Update]] = {name: [step.updates[name] for _, step in steps if name in step.updates] for name in names}
        decays = {program.names.get(id(p)): value for p, value in case.framework.decays(program.optimizers[optimizer])}
        still = {program.names.get(id(p)) for p in case.framework.without_lr(program.optimizers[optimizer])}
        plain = case.framework.optimizer_kind(program.optimizers[optimizer]) == "SGD"
        rate = max(step.lr for _, step in steps) if plain else None
        idle = [name for name, all_ in seen.items() if all_ and all(update.gradient for update in all_)
                and name not in still and not any(update.changed for update in all_) and not _is_rounding(name, seen, rate)]
        late = [name for name, all_ in seen.items() if len(all_) > 1 and all_[0].changed and all(update.gradient for update in all_)
                and name not in still and not any(update.changed for update in all_[1:]) and not _is_rounding(name, seen, rate)]
        if type(program.optimizers[optimizer]).__name__ == "LBFGS":  # it goes on by itself until it is there
            idle, late = ([name for name in names_ if not all(update.gradient < AT_REST * update.weight for update in seen[name])]
                          for names_ in (idle, late))
        if idle or late:
            yield Finding(
                "unchanged",
                optimizer,
                say("{parameters} ({names}) have a gradient and do not change", names=some(idle),
                    parameters=plural(len(idle), "parameter")) if idle else
                say("{parameters} ({names}) have a gradient and do not change after the first step", names=some(late),
                    parameters=plural(len(late), "parameter")),
                f"lr {steps[0][1].lr:.3g}",
                program.optimizer_site(optimizer),
                steps[0 if idle else 1][0].number,
            )
        cleared = next(((iteration, step) for iteration, step in steps if step.cleared), None)
        if cleared:
            iteration, step = cleared
            yield Finding(
                "cleared-too-late",
                optimizer,
                say("the gradients of {parameters} were cleared between the backward and the step of {optimizer}",
                    parameters=plural(step.cleared, "parameter"), optimizer=optimizer),
                site=step.cleared_at or step.site,
                iteration=iteration.number,
            )
        for iteration, step in steps:
            # What this step's own backward found to be 0 (a hinge that is content) may be moved by momentum, and by decay.
            ghosts = [name for name, update in step.updates.items()
                      if not update.gradient and update.changed and not update.found_zero and not decays.get(name)]
            if ghosts:
                yield Finding("change-without-gradient", optimizer, say(
                    "{optimizer} moved {parameters} without gradient ({names})", optimizer=optimizer, names=some(ghosts),
                    parameters=plural(len(ghosts), "parameter")), site=step.site, iteration=iteration.number)
                break
        counts = [(iteration, step) for iteration, step in steps if step.counts[1] is not None]
        for (_, one), (iteration, other) in itertools.pairwise(counts):
            if other.counted == one.counted and other.counts[1] <= one.counts[1]:
                yield Finding(
                    "counter-stuck",
                    optimizer,
                    say("the step counter of {optimizer} does not move: {one} after one step, {other} after the next",
                        optimizer=optimizer, one=one.counts[1], other=other.counts[1]),
                    say("its moments start anew each time"),
                    program.optimizer_site(optimizer),
                    iteration.number,
                )
                break
    for iteration in case.iterations:
        # A clip puts single parameters back to its bounds; a reload puts back most of them.
        if len(iteration.undone) > sum(len(step.updates) for step in iteration.steps) / 2:
            yield Finding("update-undone", iteration.undone[0], say(
                "{parameters} ({names}) have their old values again: something took the last update back",
                parameters=plural(len(iteration.undone), "parameter"), names=some(iteration.undone)),
                          site=iteration.loaded_at or writing_site(case), iteration=iteration.number)
            return


REBUILT = 3  # optimizers of the same parameters, one after the other, each for a single step


def rebuilt(case: Case) -> Iterator[Finding]:
    """An optimizer that is made anew for each step: what it remembers of the steps before is gone."""
    program = case.program
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, held in program.held.items():
        if len(list(case.steps(name))) == 1:
            groups.setdefault(tuple(map(id, held)), []).append(name)
    for names in groups.values():
        made = [name for name in names if name in program.made]
        remembers = any(step.counts[1] is not None for name in names for _, step in case.steps(name))
        if len(names) >= REBUILT and len(made) >= REBUILT - 1 and remembers:
            yield Finding(
                "counter-stuck",
                names[0],
                say("{optimizer} is made anew for each step: {count} of them were seen, each of one step", optimizer=names[0],
                    count=len(names)),
                say("its moments start anew each time"),
                program.optimizer_site(made[-1]),
                next(iteration.number for iteration, _ in case.steps(names[-1])),
            )


def zeros(case: Case) -> Iterator[Finding]:
    """Weights of several layers that are 0 and get a gradient of exactly 0, beside parameters that do get one: each keeps the other
    there. (One layer at 0, the last of a branch, gets a gradient.)"""
    seen: dict[str, list[Update]] = {}
    for iteration, step in case.steps():
        for name, update in step.updates.items() if iteration.close else ():
            seen.setdefault(name, []).append(update)
    still = [name for name, all_ in seen.items() if all(update.weight == 0 == update.gradient for update in all_)
             and name.endswith(".weight") and _mixes(case, name.rpartition(".")[0])]
    if len(still) > 1 and any(update.gradient for all_ in seen.values() for update in all_):
        yield Finding("units-alike", still[0].rpartition(".")[0], say(
            "the weights of {names} are all 0 and get a gradient of exactly 0: each of them keeps the others there",
            names=some(still)), site=filling_site(case, 0.0) or case.program.site_of(still[0]), iteration=1)


def _mixes(case: Case, path: str) -> bool:
    kind = type(case.program.modules.get(path)).__name__
    return kind == "Linear" or kind.startswith("Conv")


def units(case: Case) -> Iterator[Finding]:
    """Layers whose units all begin alike and get the same gradient: they stay one unit, however many there are."""
    seen: dict[str, list[float | None]] = {}
    for iteration, step in case.steps():
        for name, update in step.updates.items() if iteration.close else ():
            seen.setdefault(name, []).append(update.alike)
    alike = [name.rpartition(".")[0] for name, all_ in seen.items() if None not in all_]
    if alike:
        first = next(name for name, all_ in seen.items() if None not in all_)
        yield Finding("units-alike", alike[0], several(
            "all units of {names} have the same weights and get the same gradients: they stay alike, and are no more than one",
            "all units in each of {names} have the same weights and get the same gradients: they stay alike, and are no more than "
            "one", len(alike), names=some(alike)), site=filling_site(case, seen[first][0]) or case.program.site_of(alike[0]),
                      iteration=1)


STUCK = 0.5  # of the elements, at every step that was watched closely


def rounded_away(case: Case) -> Iterator[Finding]:
    """Parameters in half precision most of whose elements have a gradient and do not move: the change is below their last place."""
    for optimizer in case.program.optimizers:
        seen: dict[str, list[float]] = {}
        for _, step in case.steps(optimizer):
            for name, update in step.updates.items() if step.lr and step.backwards else ():
                if update.weight:
                    seen.setdefault(name, []).append(update.stuck)
        stuck = {name: min(shares) for name, shares in seen.items() if min(shares) > STUCK}
        if 2 * len(stuck) > len(seen):
            yield Finding("updates-rounded-away", optimizer, say(
                "at each step of {optimizer} most elements of {parameters} ({names}) stay as they are: in half precision the "
                "change is below their last place", optimizer=optimizer, parameters=plural(len(stuck), "parameter"),
                names=some(stuck)),
                          say("{share:.0%} of them at least", share=min(stuck.values())),
                          casting_site(case) or case.program.optimizer_site(optimizer), 1)


def anew(case: Case) -> Iterator[Finding]:
    """A network or an optimizer that is made in the loop over the epochs: what the one before has learned is gone."""
    program = case.program
    made = {name: program.optimizer_site(name) for name in program.optimizers}
    nets = {name: program.constructions.of(model) for name, model in program.models.items()}
    for name, site in {**made, **nets}.items():
        if site is not None and in_each_epoch(site):
            yield Finding("made-each-epoch", name, say(
                "{name} is made anew in each epoch: what it has learned in the one before is gone, on purpose?", name=name),
                          site=site)
            return


CHECKS = (zeros, updates, rebuilt, anew, rounded_away, units)

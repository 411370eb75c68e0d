"""From the loss to the update: graph, backward, gradients, learning rate."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import assignments_of, scheduler_calls, scheduler_site, writing_site
from parity.doctor.finding import Finding
from parity.doctor.record import Update
from parity.messages import say, some

TOO_LARGE = 0.3  # of a weight's size, moved by one step (1e-3 is usual, and 1e-2 still trains)


def backwards(case: Case) -> Iterator[Finding]:
    """Losses without a graph; steps without a backward; networks stepped between their forward and their backward."""
    for iteration in case.iterations:
        for backward in iteration.backwards:
            if not backward.differentiable:
                cut = case.cut()
                where = cut.site if cut else case.switched_off()
                held = case.program.held_anywhere
                frozen = bool(held) and not held & case.program.trainable().keys()
                yield Finding(
                    "loss-without-graph",
                    "loss",
                    say("backward() was called on a loss without a graph: no gradient was computed, and nothing said so")
                    if case.framework.name == "paddle" else
                    say("backward() was called on a loss without a graph: torch refuses"),
                    say("all {parameters} that the optimizers hold are frozen", parameters=plural(len(held), "parameter")) if frozen
                    else say("the graph ends at {place}: {line}", place=where, line=where.text) if where else "",
                    where or backward.site,
                    iteration.number,
                    say("unfreeze what is to be trained (stop_gradient=False, requires_grad=True); was a network frozen that is "
                        "the very same as another?") if frozen else None,
                )
                return
    seen = set()
    for iteration, step in case.steps():
        if step.backwards == 0 and not step.by_hand and step.optimizer not in seen:
            seen.add(step.optimizer)
            moved = sum(update.changed for update in step.updates.values())
            yield Finding(
                "no-backward",
                step.optimizer,
                say("{optimizer}.{method}() ran without a backward since its last step, and still moved {parameters}",
                    optimizer=step.optimizer, method=step.method, parameters=plural(moved, "parameter")) if moved else
                say("{optimizer}.{method}() ran without a backward since its last step, and moved nothing",
                    optimizer=step.optimizer, method=step.method),
                site=step.site,
                iteration=iteration.number,
            )
    for iteration in case.iterations:
        for network, site in iteration.stale:
            yield Finding(
                "step-between",
                network,
                say("{network} was updated between its forward and the backward through it: its gradients belong to other weights",
                    network=network),
                site=site,
                iteration=iteration.number,
            )
            return


def missing_gradients(case: Case) -> Iterator[Finding]:
    """Held parameters that no backward reaches, or reaches with zero."""
    program = case.program
    for optimizer in program.optimizers:
        steps = [(iteration, step) for iteration, step in case.steps(optimizer) if step.backwards]
        if not steps:
            # One whose networks have not run either may have its turn later.
            names = program.held_names(optimizer)
            ran = not names or any(case.ran(program.network_of(name)) for name in names)
            if ran and any(iteration.backwards for iteration in case.iterations) and not any(True for _ in case.steps(optimizer)):
                yield Finding("never-stepped", optimizer, say(
                    "{optimizer}.step() was never called in {iterations}", optimizer=optimizer,
                    iterations=plural(len(case.iterations), "iteration")), site=program.optimizer_site(optimizer))
            continue
        empty = [step for _, step in steps if step.empty]
        if len(empty) > 1 and not program.held_names(optimizer) and empty[-1] is steps[-1][1]:
            yield Finding(
                "optimizer-holds-copies",
                optimizer,
                say("none of the {tensors} that {optimizer} holds gets a gradient: the loss depends on others, made later or "
                    "copied", tensors=plural(len(program.held[optimizer]), "tensor"), optimizer=optimizer),
                say("{steps} of {count} after a backward, with no gradient in any of them", steps=plural(len(empty), "step"),
                    count=len(steps)),
                site=program.optimizer_site(optimizer),
                iteration=2,
            )
        reached = set().union(*(step.reached for _, step in steps))
        moved = sum(any(update.changed for update in step.updates.values()) for _, step in steps)
        trainable = [name for name in dict.fromkeys(program.held_names(optimizer)) if name in program.trainable()]
        seen = {name: [step.updates[name] for _, step in steps if name in step.updates] for name in trainable}
        none = [name for name, updates in seen.items() if updates and name not in reached and updates[0].gradient is None]
        # A layer may begin at 0, and give the one before it a gradient after its first step only.
        zero = [name for name, updates in seen.items() if updates and name not in reached and (moved > 1 or not reached)
                and all(update.gradient == 0 for update in updates) and not _cancels(name, reached)]
        if zero and not reached:
            yield Finding("gradient-zero", optimizer, say(
                "all {parameters} of {optimizer} got a gradient of exactly 0 in all {steps}", optimizer=optimizer,
                parameters=plural(len(zero), "parameter"), steps=plural(len(steps), "step")),
                          site=case.loss_site(), iteration=steps[0][0].number)
            continue
        networks = dict.fromkeys(program.network_of(name) for name in [*none, *zero])
        for network in networks:
            mine = [name for name in trainable if program.network_of(name) == network]
            missing = [name for name in none if program.network_of(name) == network]
            yield from _missing(case, network, mine, missing, case.loss_site(steps[0][1]))
            dead = [name for name in zero if program.network_of(name) == network]
            if dead:
                half = any(iteration.half for iteration in case.iterations)
                yield Finding(
                    "fp16-underflow" if half else "gradient-zero",
                    dead[0],
                    say("{parameters} of {network} got a gradient of exactly 0 in all {steps}: {names}", network=network,
                        parameters=plural(len(dead), "parameter"), steps=plural(len(steps), "step"), names=some(dead)),
                    say("layers on the way work in float16") if half else "",
                    site=program.site_of(dead[0]),
                    iteration=steps[0][0].number,
                )


def _cancels(name: str, reached: set[str]) -> bool:
    """A bias whose weight has a gradient: that of real and fake samples may add up to exactly 0 (hinge loss, WGAN)."""
    owner, _, own = name.rpartition(".")
    return own == "bias" and any(other.startswith(f"{owner}.weight") for other in reached)


def _taken_in_turn(case: Case, path: str) -> bool:
    """Whether modules of its class beside it run in some iterations and not in others (experts, layers left out at random)."""
    program, outer = case.program, path.rpartition(".")[0]
    beside = [other for other, module in program.modules.items() if other != path and other.rpartition(".")[0] == outer
              and type(module) is type(program.modules.get(path))]
    turns = [sum(other in iteration.modules for iteration in case.iterations) for other in beside]
    return any(0 < count < len(case.iterations) for count in turns)


def _missing(case: Case, network: str, mine: list[str], missing: list[str], step_site) -> Iterator[Finding]:
    program = case.program
    idle = {}
    for name in missing:
        owner = name.rpartition(".")[0]
        if not case.ran(owner) and owner != network:
            idle.setdefault(owner, []).append(name)
    if 0 < len(missing) == len(mine):
        cut = case.cut()
        if cut:
            yield Finding(
                "graph-cut",
                network,
                say("no gradient reaches {network}: this line leaves the graph ({how})", network=network, how=cut.how) if cut.how
                else say("no gradient reaches {network}: this line leaves the graph", network=network),
                say("{name} has no graph, {source} had one", name=cut.name, source=cut.source or say("what it came from")),
                cut.site,
                1,
            )
        elif (off := case.switched_off(network)):
            yield Finding(
                "graph-cut",
                network,
                say("no gradient reaches {network}: it ran with gradients switched off (no_grad)", network=network),
                "",
                off,
                1,
            )
        else:
            yield Finding(
                "network-without-gradient",
                network,
                say("none of the {count} parameters of {network} gets a gradient: the loss does not depend on it",
                    count=len(mine), network=network),
                site=_off(case, network) or step_site,
                iteration=1,
            )
        return
    for owner in idle:
        outer = owner.rpartition(".")[0]
        if outer not in idle and not _taken_in_turn(case, owner):
            yield Finding("module-never-run", owner, say("{layer} was built and never run", layer=owner),
                          say("its parameters: {names}", names=some(idle[owner])),
                          program.site_of(owner), 1)
    rest = [name for name in missing if name.rpartition(".")[0] not in idle]
    rest = [name for name in rest if not _taken_in_turn(case, name.rpartition(".")[0])]
    off = next((site for name in rest if (site := case.switched_off(name.rpartition(".")[0]))), None)
    if rest and off:
        yield Finding("graph-cut", rest[0], say(
            "{parameters} of {network} never got a gradient: {names}; this line runs with gradients switched off (no_grad)",
            parameters=plural(len(rest), "parameter"), network=network, names=some(rest)), site=off, iteration=1)
    elif rest:
        cut = case.cut()
        kind = "graph-cut" if cut else "parameters-without-gradient"
        values = {"parameters": plural(len(rest), "parameter"), "network": network, "names": some(rest)}
        message = say("{parameters} of {network} never got a gradient: {names}", **values)
        if cut:
            message = say("{message}; this line leaves the graph ({how})", message=message, how=cut.how) if cut.how else \
                say("{message}; this line leaves the graph", message=message)
        yield Finding(kind, rest[0], message, site=cut.site if cut else program.site_of(rest[0]), iteration=1)


def _off(case: Case, network: str):
    """A line that ran the network in train mode with gradients switched off."""
    return next((use.off_awake for iteration in case.iterations if (use := iteration.modules.get(network)) and use.off_awake), None)


def bypassed(case: Case) -> Iterator[Finding]:
    """Library layers that never run while their weight is used: the layer beside may run in their place."""
    program = case.program
    for path, module in program.modules.items():
        outer = program.modules.get(path.rpartition(".")[0])
        own = [name for name in program.trainable() if name.rpartition(".")[0] == path]
        used = [name for _, step in case.steps() for name in own if (update := step.updates.get(name)) and update.gradient]
        library = type(module).__module__.partition(".")[0] == case.framework.name
        if library and used and not case.ran(path) and outer is not None and _of_the_kind_ran(case, path, outer):
            yield Finding("module-bypassed", path, say("{layer} never runs, though its weight is used elsewhere: on purpose?",
                                                          layer=path),
                          say("a layer of the same kind beside it does run"), program.site_of(path), 1)


def _of_the_kind_ran(case: Case, path: str, outer: object) -> bool:
    kind, parent = type(case.program.modules[path]), path.rpartition(".")[0]
    return any(type(module) is kind and other != path and other.rpartition(".")[0] == parent and case.ran(other)
               for other, module in case.program.modules.items())


def mixed(case: Case) -> Iterator[Finding]:
    """Gradients that hold more than the loss of this step."""
    seen = set()
    for iteration, step in case.steps():
        names = [name for name, update in step.updates.items() if update.mixed]
        if names and step.optimizer not in seen:
            seen.add(step.optimizer)
            which = {step.updates[name].mixed for name in names}
            own = "step" in which
            yield Finding("leftover-gradient", step.optimizer, say(
                "{optimizer} steps with gradients left over from {where} in {parameters} ({names}): they were not cleared before "
                "this backward", optimizer=step.optimizer, where=say("an earlier step") if own else say("another loss"),
                parameters=plural(len(names), "parameter"), names=some(names)),
                          say("its own step lies between the two backwards") if own
                          else say("another optimizer's step lies between the two backwards"), step.site, iteration.number)


def discarded(case: Case) -> Iterator[Finding]:
    """A backward whose gradients were cleared before any optimizer stepped."""
    rows = [iteration for iteration in case.iterations if iteration.close and iteration.steps]
    if rows and all(iteration.discarded for iteration in rows):
        names = list(dict.fromkeys(rows[0].discarded))
        optimizer = case.program.holder_of(names[0]) or "optimizer"
        cleared = next((step.cleared_at for step in rows[0].steps if step.optimizer == optimizer), None)
        yield Finding("gradient-discarded", optimizer, say(
            "gradients of {parameters} ({names}) are cleared before any step has used them: the backward that made them was for "
            "nothing", parameters=plural(len(names), "parameter"), names=some(names)),
                      say("an accumulation that starts anew"), cleared or rows[0].backwards[0].site, rows[0].number)


def clipping(case: Case) -> Iterator[Finding]:
    for iteration in case.iterations:
        for optimizer, site in iteration.clipped_late[:1]:
            yield Finding("clip-too-late", optimizer, say(
                "the gradients of {optimizer} are clipped where no backward has made any since its last step", optimizer=optimizer),
                          site=site, iteration=iteration.number)
            return


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
        idle = [name for name, all_ in seen.items() if all_ and all(update.gradient for update in all_)
                and name not in still and not any(update.changed for update in all_)]
        late = [name for name, all_ in seen.items() if len(all_) > 1 and all_[0].changed and all(update.gradient for update in all_)
                and name not in still and not any(update.changed for update in all_[1:])]
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


def learning_rate(case: Case) -> Iterator[Finding]:
    program = case.program
    for name, optimizer in program.optimizers.items():
        steps = list(case.steps(name))
        if not steps:
            continue
        scheduled = case.framework.scheduler_of(optimizer) is not None
        site = program.optimizer_site(name)
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
        large = [] if searched else [_relative(step.updates.values()) for _, step in steps]
        large = [ratio for ratio in large if ratio is not None]
        if large and min(large[:2]) > TOO_LARGE and not _falls(case, name):
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


def _falls(case: Case, optimizer: str) -> bool:
    """Whether the losses that train this optimizer's parameters go down: then it can afford its steps.

    What starts at 0 or near it, an embedding or the last layer of a flow, moves by more than its size in a healthy training.
    """
    mine = set(case.program.held_names(optimizer))
    sites = {backward.site for iteration in case.iterations for backward in iteration.backwards if backward.touched & mine}
    rows = [[backward for backward in iteration.backwards if backward.site in sites] for iteration in case.iterations]
    course = [sum(sum(backward.losses) for backward in row) for row in rows if row]
    return len(course) > 1 and statistics.median(course[(len(course) + 1) // 2:]) < course[0]


def _relative(updates_: object) -> float | None:
    """The median of |change| / |weight|."""
    ratios = [update.change / update.weight for update in updates_ if update.changed and update.weight]
    return statistics.median(ratios) if ratios else None


def decay(case: Case) -> Iterator[Finding]:
    """Weight decay beside the gradient of the loss."""
    program = case.program
    for name, optimizer in program.optimizers.items():
        steps = [(iteration, step) for iteration, step in case.steps(name) if step.backwards]
        if program.iterator_of(name) or not steps:
            continue
        if not type(optimizer).step.__module__.startswith(("torch", "paddle")):
            continue  # what an optimizer of the user's own does with its weight_decay is not known
        decays = {program.names[id(p)]: value for p, value in case.framework.decays(optimizer) if id(p) in program.names}
        apart = bool(case.framework.shrinks(optimizer))
        pulls = {}
        for key, value in decays.items():
            # Where the decay is apart from the gradient (AdamW), both are held against the step that was taken.
            ratios = [value * update.weight / update.gradient if not apart else update.shrunk or 0.0 for _, step in steps
                      if (update := step.updates.get(key)) and update.gradient]
            if ratios and value:
                pulls[key] = statistics.median(ratios)
        if pulls and statistics.median(pulls.values()) > 1:
            yield Finding(
                "decay-dominates",
                name,
                say("weight decay pulls {ratio:.2g} times as hard as the loss", ratio=statistics.median(pulls.values())),
                say("weight_decay {decay:.3g} of {optimizer}", decay=max(decays.values()), optimizer=name),
                program.optimizer_site(name),
                1,
            )
            continue
        flat = [key for key, pull in pulls.items() if pull > 1 and _is_norms(case, key)]
        if flat:
            yield Finding(
                "decay-on-norms",
                name,
                say("weight decay pulls harder than the loss on {parameters} ({names}): on purpose?",
                    parameters=plural(len(flat), "norm parameter"), names=some(flat)),
                site=program.optimizer_site(name),
                iteration=1,
            )


def _is_norms(case: Case, name: str) -> bool:
    """Whether it is a norm's scale or shift. (The bias of a layer before a norm has no gradient to speak of, and no effect.)"""
    return "norm" in type(case.program.modules.get(name.rpartition(".")[0])).__name__.lower()


CHECKS = (backwards, missing_gradients, bypassed, mixed, discarded, clipping, updates, learning_rate, decay)

"""From the loss back to the parameters: losses without a graph, networks and layers that no gradient reaches."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import named_alone
from parity.doctor.finding import Finding
from parity.doctor.program import HELD
from parity.doctor.record import Iteration, Step
from parity.messages import Message, say, some
from parity.trace.source import Site


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
            stepped = frozenset(step.optimizer for _, step in case.steps())
            if (ran and any(iteration.backwards for iteration in case.iterations) and optimizer not in stepped
                    and not program.around(optimizer, stepped)):
                yield Finding("never-stepped", optimizer, say(
                    "{optimizer}.step() was never called in {iterations}", optimizer=optimizer,
                    iterations=plural(len(case.iterations), "iteration")),
                              site=named_alone(case, "step") or program.optimizer_site(optimizer))
            continue
        empty = [step for _, step in steps if step.empty]
        if len(empty) > 1 and not program.held_names(optimizer) and empty[-1] is steps[-1][1] and not empty[-1].stopped:
            yield Finding(
                "optimizer-holds-copies",
                optimizer,
                say("none of the {tensors} that {optimizer} holds gets a gradient: the loss depends on others, made later or "
                    "copied", tensors=plural(len(program.held[optimizer]), "tensor"), optimizer=optimizer),
                say("{steps} of {count} after a backward, with no gradient in any of them", steps=plural(len(empty), "step"),
                    count=len(steps)),
                site=program.optimizer_site(optimizer, HELD),
                iteration=2,
            )
        reached = set().union(*(step.reached for _, step in steps))
        moved = sum(any(update.changed for update in step.updates.values()) for _, step in steps)
        trainable = [name for name in dict.fromkeys(program.held_names(optimizer)) if name in program.trainable()]
        seen = {name: [step.updates[name] for _, step in steps if name in step.updates] for name in trainable}
        none = [name for name, updates in seen.items() if updates and name not in reached and updates[0].gradient is None
                and not updates[0].frozen]
        # A layer may begin at 0, and give the one before it a gradient after its first step only.
        zero = [name for name, updates in seen.items() if updates and name not in reached and (moved > 1 or not reached)
                and all(update.gradient == 0 for update in updates) and not _cancels(name, reached)]
        if zero and not reached:
            half = any(iteration.half for iteration in case.iterations)
            yield Finding("fp16-underflow" if half else "gradient-zero", optimizer, say(
                "all {parameters} of {optimizer} got a gradient of exactly 0 in all {steps}", optimizer=optimizer,
                parameters=plural(len(zero), "parameter"), steps=plural(len(steps), "step")),
                          say("layers on the way work in float16") if half else "",
                          _from_zero(case, zero, seen) or case.turning_point("zero") or case.loss_site(), steps[0][0].number)
            continue
        networks = dict.fromkeys(program.network_of(name) for name in [*none, *zero])
        for network in networks:
            mine = [name for name in trainable if program.network_of(name) == network]
            missing = [name for name in none if program.network_of(name) == network]
            yield from _missing(case, network, mine, missing, steps[0][1])
            dead = [name for name in zero if program.network_of(name) == network]
            lacking = {_lacking(case, name) for name in dead}
            if len(lacking) == 1 and (lack := lacking.pop())[0]:
                yield _unfed(network, dead, plural(len(steps), "step"), *lack)
            elif dead:
                half = any(iteration.half for iteration in case.iterations)
                yield Finding(
                    "fp16-underflow" if half else "gradient-zero",
                    dead[0],
                    say("{parameters} of {network} got a gradient of exactly 0 in all {steps}: {names}", network=network,
                        parameters=plural(len(dead), "parameter"), steps=plural(len(steps), "step"), names=some(dead)),
                    say("layers on the way work in float16") if half else "",
                    site=_flat(case) or program.site_of(dead[0]),
                    iteration=steps[0][0].number,
                )


def _lacking(case: Case, name: str) -> tuple[str, str, Site | None]:
    """What the recurrent layer with this parameter never got ("state" or "input", "" for neither), the layer, and its call."""
    path = name.rpartition(".")[0]
    while path and not any(path in iteration.unfed for iteration in case.close):
        path = path.rpartition(".")[0]
    seen = [iteration.unfed[path] for iteration in case.close if path in iteration.unfed]
    lacks = {lack for lack, _ in seen}
    return (lacks.pop(), path, seen[0][1]) if len(lacks) == 1 else ("", path, None)


def _unfed(network: str, dead: list[str], steps: Message, lack: str, layer: str, site: Site | None) -> Finding:
    """Parameters that multiply zeros alone: weights of a state, where none is handed over, or of an input of zeros."""
    values = {"parameters": plural(len(dead), "parameter"), "network": network, "steps": steps, "names": some(dead), "layer": layer}
    if lack == "input":
        return Finding("gradient-zero", dead[0], say(
            "{parameters} of {network} got a gradient of exactly 0 in all {steps}: {names}; the input of {layer} is 0 in all of "
            "its calls, on purpose?", **values), site=site, iteration=1, mild=True,
            instead=say("if it is to go by what it has said before, or by a target, hand that over"))
    return Finding("gradient-zero", dead[0], say(
        "{parameters} of {network} got a gradient of exactly 0 in all {steps}: {names}; {layer} is given no state in any of its "
        "calls, and begins with zeros in each", **values), site=site, iteration=1,
        instead=say("hand over the state that the call before gave: h, state = cell(x, state)"))


_FLAT = re.compile(r"\b(round|floor|ceil|sign)\b")  # functions whose slope is 0


def _flat(case: Case) -> Site | None:
    """The first line with a function whose slope is 0 that something with a graph went through."""
    return next((cut.site for iteration in case.iterations for cut in (*iteration.suspects, *iteration.cuts)
                 if _FLAT.search(cut.site.text)), None)


def _from_zero(case: Case, names: list[str], seen: dict[str, list]) -> Site | None:
    """The line that makes the first of these parameters, where all of them have been 0 throughout: they multiply one another."""
    still = len(names) > 1 and all(update.weight == 0 for name in names for update in seen[name])
    return case.program.site_of(names[0]) if still else None


RUN = 5  # steps in a row without any gradient: chance does not do that


def died(case: Case) -> Iterator[Finding]:
    """Optimizers whose gradients were alive at first, and are exactly 0 in all steps since some iteration."""
    for optimizer in case.program.optimizers:
        steps = [(iteration, step) for iteration, step in case.steps(optimizer) if step.backwards and step.lr and not step.empty]
        alive = [number for number, (_, step) in enumerate(steps) if step.reached or (step.updates and any(
            update.gradient or update.bad_gradient for update in step.updates.values()))]
        if not alive or len(steps) - 1 - alive[-1] < RUN:
            continue
        iteration = steps[alive[-1] + 1][0]
        last = _last_layer(case, optimizer, iteration)
        rectified = last is not None and type(case.program.modules[last]).__name__ in ("ReLU", "ReLU6")
        yield Finding(
            "gradient-zero",
            optimizer,
            say("no parameter of {optimizer} has got a gradient since iteration {number}: all are exactly 0", optimizer=optimizer,
                number=iteration.number),
            say("the network ends in {layer}, a ReLU: where all that it gives is 0, nothing comes back", layer=last)
            if rectified else "",
            (case.program.site_of(last) if rectified else None) or case.loss_site(steps[alive[-1] + 1][1]),
            iteration.number,
            say("take the activation off the last layer, unless all targets are above 0") if rectified else None,
        )


def _last_layer(case: Case, optimizer: str, iteration: Iteration) -> str | None:
    """The layer of the optimizer's networks that ran last in that iteration."""
    networks = {case.program.network_of(name) for name in case.program.held_names(optimizer)}
    ran = {path: use.last_tick for path, use in iteration.modules.items()
           if path in case.program.leaves and case.program.network_of(path) in networks}
    return max(ran, key=ran.__getitem__, default=None)


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


def _missing(case: Case, network: str, mine: list[str], missing: list[str], step: Step) -> Iterator[Finding]:
    program = case.program
    idle = {}
    for name in missing:
        owner = name.rpartition(".")[0]
        if not case.ran(owner) and owner != network:
            idle.setdefault(owner, []).append(name)
    if 0 < len(missing) == len(mine):
        cut = case.cut() or (case.suspect(step) if case.ran(network) and not case.switched_off(network) else None)
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
                site=_off(case, network) or case.loss_site(step),
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
        suspect = case.suspect(step)
        cut = case.cut() or (suspect if suspect and _is_within(case, rest[0], suspect.site) else None)
        kind = "graph-cut" if cut else "parameters-without-gradient"
        values = {"parameters": plural(len(rest), "parameter"), "network": network, "names": some(rest)}
        message = say("{parameters} of {network} never got a gradient: {names}", **values)
        if cut:
            message = say("{message}; this line leaves the graph ({how})", message=message, how=cut.how) if cut.how else \
                say("{message}; this line leaves the graph", message=message)
        yield Finding(kind, rest[0], message, site=cut.site if cut else program.site_of(rest[0]), iteration=1)


def _is_within(case: Case, name: str, site: Site) -> bool:
    """Whether the line stands in the class of a module that holds this parameter, or a module that does."""
    path = name.rpartition(".")[0]
    while path:
        for value in vars(type(case.program.modules.get(path))).values():
            code = getattr(inspect.unwrap(value), "__code__", None) if callable(value) else None
            if code is not None and code.co_filename == site.file and site.line in {line for *_, line in code.co_lines()}:
                return True
        path = path.rpartition(".")[0]
    return False


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
        if "Embedding" in type(module).__name__:
            continue  # what it gives are rows of its weight: the whole table is what it would give for all of them
        library = type(module).__module__.partition(".")[0] == case.framework.name
        if library and used and not case.ran(path) and outer is not None and _of_the_kind_ran(case, path, outer):
            yield Finding("module-bypassed", path, say("{layer} never runs, though its weight is used elsewhere: on purpose?",
                                                          layer=path),
                          say("a layer of the same kind beside it does run"), program.site_of(path), 1)


def _of_the_kind_ran(case: Case, path: str, outer: object) -> bool:
    kind, parent = type(case.program.modules[path]), path.rpartition(".")[0]
    return any(type(module) is kind and other != path and other.rpartition(".")[0] == parent and case.ran(other)
               for other, module in case.program.modules.items())


def lost(case: Case) -> Iterator[Finding]:
    """Terms of a loss that have no graph and come of something that had one, beside others that have."""
    for iteration in case.iterations:
        for one in iteration.lost:
            term = iteration.terms.get(one.term) if one.term else None
            if one.term and (term is None or term.weight is None):
                continue  # no backward went through that sum: something to look at
            yield Finding(
                "term-without-graph",
                one.name,
                say("{name} is added to the loss and has no graph: it changes the loss, and no gradient", name=one.name),
                say("the graph ends at {place}: {line}", place=one.cut.site, line=one.cut.site.text),
                one.cut.site,
                iteration.number,
            )
            return


def derived(case: Case) -> Iterator[Finding]:
    close = case.close
    if close and all(iteration.derived for iteration in close):
        cut = close[0].derived[0]
        yield Finding("term-without-graph", cut.name, say(
            "{name} is a derivative without a graph of its own, added to what has one: it changes the loss, and the gradient goes "
            "by the rest alone, on purpose?", name=cut.name), site=cut.site, iteration=close[0].number, mild=True,
                      instead=say("create_graph=True, where this derivative is taken"))


def targets(case: Case) -> Iterator[Finding]:
    """What a prediction is held against has a graph itself: the backward moves the target to the prediction, too."""
    close = [iteration for iteration in case.iterations if iteration.close and iteration.backwards]
    if close and all(iteration.alive_targets for iteration in close):
        name, site = close[-1].alive_targets[-1]  # the first of a script may have begun within its lines
        yield Finding("target-with-graph", name, say("{name}, which a prediction is held against, has a graph: the backward goes "
                                                     "through it as well, on purpose?", name=name), site=site, iteration=1)


def overwritten(case: Case) -> Iterator[Finding]:
    """A loss that was computed, that nothing has read, and whose name is bound anew: no backward goes through it."""
    close = case.close
    lost_ = [[one for one in iteration.overwritten if one[2].weight is None] for iteration in close]  # not a part of another
    if not close or not all(lost_):
        return
    name, site, _ = lost_[0][0]
    held, missing = case.program.held_anywhere & case.program.trainable().keys(), set()
    for _, step in case.steps():
        missing |= {key for key, update in step.updates.items() if update.gradient is None and key in held}
    reached = set().union(*(step.reached for _, step in case.steps()))
    yield Finding("loss-overwritten", name, say(
        "{name} is bound anew here before anything has read it: the loss that it was goes to no backward", name=name), site=site,
                  iteration=close[0].number, mild=not missing - reached)


def cancelled(case: Case) -> Iterator[Finding]:
    """A difference of something and the same again, both with a graph: it is 0, and so is its gradient."""
    close = case.close
    if len(case.iterations) > 1 and close and all(iteration.cancelled for iteration in close):
        yield Finding("difference-cancels", "difference", say(
            "both sides of this difference are the same values, and both have a graph: it is 0, and the gradient of one side takes "
            "away that of the other"), site=close[0].cancelled[0], iteration=close[0].number)


def draws(case: Case) -> Iterator[Finding]:
    """A network that goes on from a draw without a graph, of a distribution that is trained and whose log_prob nobody takes."""
    close = case.close
    scored = set().union(*(iteration.scored for iteration in close))
    seen = [[draw for draw in iteration.draws if draw[0] not in scored] for iteration in close]
    if seen and all(seen):
        kind, network, site = seen[0][0]
        yield Finding("draw-without-gradient", network, say(
            "{network} goes on from a draw of a {kind}, and no gradient goes back through it to what the distribution is made of",
            network=network, kind=kind), site=site, iteration=close[0].number)


def scattered(case: Case) -> Iterator[Finding]:
    for iteration in case.close[:1]:
        for lost_, count, site in iteration.written_over:
            yield Finding("scatter-overwrites", "scatter", say(
                "{lost} of the {count} rows that are written here are lost: several go to one place, and the last stays",
                lost=lost_, count=count), site=site, iteration=iteration.number)
            return


def ones(case: Case) -> Iterator[Finding]:
    """A softmax over an axis of a single element, which is 1 whatever that is."""
    close = case.close
    lengths: dict[Site, set[int]] = {}
    for iteration in close:
        for site, seen in iteration.softmaxes.items():
            lengths.setdefault(site, set()).update(seen)
    for site, seen in lengths.items():
        if seen == {1}:
            yield Finding("softmax-of-one", "softmax", say(
                "this softmax runs over an axis of a single element: it gives 1, whatever it is given, and no gradient goes back"),
                          site=site, iteration=close[0].number)


def custom(case: Case) -> Iterator[Finding]:
    for iteration in case.iterations:
        for name, site in iteration.unused_gradients:
            yield Finding("gradient-not-passed-on", name, say(
                "the backward of {name} does not read the gradient that it is given: what comes after it has no say in the "
                "gradient of what is before it", name=name), site=site, iteration=iteration.number)
            return


def served(case: Case) -> Iterator[Finding]:
    """Networks that get a gradient which no step uses, of a loss that trains others: what they were given in that iteration has no
    graph, so what they say of it is a constant to those that do step."""
    program = case.program
    steps = sorted((step for _, step in case.steps()), key=lambda step: step.tick)
    for iteration in case.iterations:
        for backward in iteration.backwards if iteration.close else ():
            networks = {program.network_of(name) for name in backward.touched}
            for network in networks if len(networks) > 1 else ():
                names = {name for name in backward.touched if program.network_of(name) == network}
                holders = {program.holder_of(name) for name in names}
                calls = [entry for entry in iteration.entries if entry.network == network and entry.tick < backward.tick]
                after = next((step for step in steps if step.tick > backward.tick), None)
                mine = next((step for step in steps if step.tick > backward.tick and step.optimizer in holders), None)
                lent = network in iteration.lent  # it ran with weights that have a graph
                if lent or not calls or any(entry.alive for entry in calls) or None in (after, mine) or after is mine:
                    continue
                stepped = {program.network_of(name) for name in program.held_names(after.optimizer)}
                if any(entry.alive and entry.network in stepped for entry in iteration.entries):
                    continue  # the gradient goes through what is stepped, and on to what it was given (a sample not detached)
                updates = [mine.updates[name] for name in names if name in mine.updates]
                if updates and all(update.tick_made not in (None, backward.tick) and not update.mixed for update in updates):
                    drawn = next((site for _, fed, site in iteration.draws if fed == network), None)
                    yield Finding("gradient-serves-nobody", network, say(
                        "{network} gets a gradient by this loss, which {optimizer} steps upon and no step of its own uses; and "
                        "what it was given has no graph: to {optimizer} its part of the loss is a constant, on purpose?",
                        network=network, optimizer=after.optimizer), site=drawn or calls[-1].site, iteration=iteration.number)
                    return


CHECKS = (custom, served, derived, targets, backwards, missing_gradients, died, overwritten, cancelled, draws, scattered, ones,
          lost, bypassed)

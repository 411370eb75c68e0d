"""Which optimizer holds which parameter: none, two, or another's instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import assignments_of, freezing_site, handed_site
from parity.doctor.finding import Finding
from parity.doctor.program import HELD
from parity.messages import say, some


def held(case: Case) -> Iterator[Finding]:
    """Parameters that no optimizer holds, and what optimizers hold instead."""
    program, framework = case.program, case.framework
    # What nobody holds and moves all the same is updated by hand; of a network that only lends its output it is an average.
    lent = set().union(*(iteration.lent for iteration in case.iterations))
    later = _later(case)
    loose = {name: p for name, p in program.trainable().items()
             if id(p) not in program.holders and program.network_of(name) not in lent and name not in later
             and not (name in case.moved_by_hand and not _passive(case, program.network_of(name)))}
    by_network: dict[str, list[str]] = {}
    for name in loose:
        by_network.setdefault(program.network_of(name), []).append(name)
    strangers = {optimizer: [p for p in parameters if id(p) not in program.names and id(p) not in program.held_state]
                 for optimizer, parameters in program.held.items()}
    iterators = [name for name in program.optimizers if program.iterator_of(name)]
    for name in iterators:
        yield Finding("iterator-exhausted", name, say("{optimizer} was given an iterator of parameters: after its first use it "
                                                         "is empty", optimizer=name),
                      site=assignments_of(case, "_parameter_list") or program.optimizer_site(name, HELD))
    for network, names in by_network.items():
        if iterators or not program.optimizers:
            break
        shapes = Counter(framework.shape_dtype(loose[name])[0] for name in names)
        trainable = [name for name in program.trainable() if program.network_of(name) == network]
        copies = {optimizer: count for optimizer, parameters in strangers.items()
                  if (count := _overlap(shapes, Counter(framework.shape_dtype(p)[0] for p in parameters))) >= len(names) / 2}
        if copies:
            optimizer = max(copies, key=copies.__getitem__)
            yield Finding("optimizer-holds-copies", optimizer,
                          say("{optimizer} holds {tensors} that no network uses, while nobody holds {count} of the {total} "
                              "parameters of {network}: copies, or weights replaced later", optimizer=optimizer, network=network,
                              tensors=plural(len(strangers[optimizer]), "tensor"), count=len(names), total=len(trainable)),
                          say("{count} of them have the shapes of {names}", count=copies[optimizer], names=some(names)),
                          program.optimizer_site(optimizer, HELD) if len(names) == len(trainable) else program.site_of(names[0]))
        elif not program.held_anywhere and any(strangers.values()):
            continue  # it lends its output to train what is no network's: a picture
        elif len(names) == len(trainable):
            if _passive(case, network):
                yield Finding(
                    "frozen-network",
                    network,
                    say("no optimizer holds {network} ({count} parameters): frozen, on purpose?", network=network,
                        count=len(names)),
                    say("it ran in eval mode or without a graph"),
                    program.site_of(network),
                )
            else:
                optimizer = _likely(case, network)
                yield Finding("network-unheld", network, say("no optimizer holds any of the {count} parameters of {network}",
                                                                 count=len(names), network=network),
                              say("the optimizers hold {count} of {total} trainable parameters",
                                  count=len(program.held_anywhere & program.trainable().keys()), total=len(program.trainable())),
                              program.optimizer_site(optimizer, HELD) if optimizer else program.site_of(network))
        else:
            first = names[0]
            yield Finding("parameters-unheld", network, say(
                "no optimizer holds {count} of the {total} parameters of {network}: {names}", count=len(names),
                total=len(trainable), network=network, names=some(names)),
                          say("made after the optimizer, or used up by an iterator before it"),
                          program.optimizer_site(_likely(case, network), HELD) or program.site_of(first))
    for optimizer, parameters in strangers.items():
        unused = [p for p in parameters if not framework.updates(program.optimizers[optimizer], p)]
        state = any(id(p) in program.held_state for p in program.held[optimizer])  # said by `buffers_held`
        if unused and not by_network and not state and _counts(case, optimizer):
            yield Finding("foreign-parameters", optimizer, say(
                "{optimizer} holds {tensors} that belong to no network and are never updated", optimizer=optimizer,
                tensors=plural(len(unused), "tensor")), site=program.optimizer_site(optimizer, HELD))


def _later(case: Case) -> set[str]:
    """Parameters that were frozen while these optimizers stepped, and that another holds, which was made since."""
    program = case.program
    stepped = [iteration for iteration in case.iterations if iteration.steps]
    frozen = {name for name in stepped[-1].frozen if name in program.trainable()} if stepped else set()
    if not frozen:
        return frozen
    others = program.others()
    held = program.held_elsewhere | {id(p) for optimizer in others for p in case.framework.optimizer_parameters(optimizer)}
    return {name for name in frozen if id(program.parameters[name]) in held}


def _overlap(one: Counter, other: Counter) -> int:
    return sum((one & other).values())


def _counts(case: Case, optimizer: str) -> bool:
    return any(step.counts[1] for _, step in case.steps(optimizer))


def _passive(case: Case, network: str) -> bool:
    """Whether the network only lends its output: never in train mode with a graph of its own."""
    uses = [iteration.modules[network] for iteration in case.iterations if network in iteration.modules]
    return bool(uses) and not any(use.trained for use in uses)


def _likely(case: Case, network: str) -> str | None:
    """The optimizer that should hold the network, of those that step: the one whose networks are of its class, else the first."""
    program = case.program
    kinds = {name: type(model) for name, model in program.models.items()}
    stepped = {step.optimizer for _, step in case.steps()}
    candidates = [name for name in program.optimizers if name in stepped] or list(program.optimizers)
    for optimizer in candidates:
        if any(kinds[program.network_of(name)] is kinds[network] for name in program.held_names(optimizer)):
            return optimizer
    return next(iter(candidates), None)


def buffers_held(case: Case) -> Iterator[Finding]:
    program = case.program
    for optimizer, parameters in program.held.items():
        # Paddle keeps a batch norm's running statistics as frozen parameters, and skips them.
        names = [program.held_state[id(p)] for p in parameters if id(p) in program.held_state
                 and (case.framework.requires_grad(p) or not case.framework.is_parameter(p))]
        if names:
            yield Finding(
                "buffers-held",
                optimizer,
                say("{optimizer} holds {total} tensors, and {count} of them are no parameters but state ({names}): {right} would "
                    "be right", optimizer=optimizer, total=len(parameters), count=len(names), names=some(names),
                    right=len(parameters) - len(names)),
                site=program.optimizer_site(optimizer, HELD),
            )


SINCE = 5  # steps in a row: what is frozen for another's turn (a critic, for the generator's) has its own within them


def frozen(case: Case) -> Iterator[Finding]:
    """Parameters that were trained, have been frozen meanwhile, and are held still: on purpose, or forgotten?"""
    program = case.program
    trainable = program.trainable()
    for optimizer in program.optimizers:
        steps = list(case.steps(optimizer))
        before = set().union(*(step.reached for _, step in steps[:-SINCE]))
        since = set().union(*(step.reached for _, step in steps[-SINCE:]))
        still = [name for name in dict.fromkeys(program.held_names(optimizer)) if name in before - since and name not in trainable]
        if still:
            last = next(iteration.number for iteration, step in reversed(steps) if step.reached & set(still))
            yield Finding("frozen-parameters", optimizer, say(
                "{parameters} that {optimizer} holds were trained until iteration {number}, and are frozen since ({names}): on "
                "purpose?", parameters=plural(len(still), "parameter"), optimizer=optimizer, number=last, names=some(still)),
                          site=freezing_site(case) or program.optimizer_site(optimizer, HELD), iteration=last + 1)


def stopped(case: Case) -> Iterator[Finding]:
    """Optimizers of tensors of no network that are to have no gradient."""
    program = case.program
    for optimizer, held in program.held.items():
        steps = list(case.steps(optimizer))
        if len(steps) > 1 and not program.held_names(optimizer) and all(step.stopped for _, step in steps):
            how = "stop_gradient" if case.framework.name == "paddle" else "requires_grad"
            yield Finding(
                "held-without-gradient",
                optimizer,
                say("{optimizer} never moves what it holds: {tensors} with {how}={value}", optimizer=optimizer,
                    tensors=plural(len(held), "tensor"), how=how, value=how == "stop_gradient"),
                site=handed_site(case, optimizer) or program.optimizer_site(optimizer, HELD),
                iteration=1,
            )


def twice(case: Case) -> Iterator[Finding]:
    program = case.program
    holders: dict[int, list[str]] = {}
    for optimizer, parameters in program.held.items():
        for p in parameters:
            holders.setdefault(id(p), []).append(optimizer)
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, names in holders.items():
        if len(names) > 1:
            groups.setdefault(tuple(names), []).append(program.names.get(key, say("a tensor of no network")))
    together = [{step.optimizer for step in iteration.steps} for iteration in case.iterations]
    for names, parameters in groups.items():
        if len(set(names)) > 1 and together and not any(steps >= set(names) for steps in together):
            continue  # one after the other: Adam first and LBFGS then
        values = {"parameters": plural(len(parameters), "parameter"), "names": some(parameters),
                  "optimizers": ", ".join(dict.fromkeys(names))}
        yield Finding("held-twice", names[-1],
                      say("{parameters} ({names}) held twice by {optimizers}: each step moves them twice", **values)
                      if len(set(names)) == 1 else
                      say("{parameters} ({names}) held by each of {optimizers}: each step moves them twice", **values),
                      site=program.optimizer_site(names[-1], HELD))


CHECKS = (held, buffers_held, frozen, stopped, twice)

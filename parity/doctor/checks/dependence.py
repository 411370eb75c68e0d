"""What the dependence probes have shown: examples that react to one another, outputs that see their target, or cannot see it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import forward_says, state_loads
from parity.doctor.finding import Finding
from parity.doctor.record import Reaction
from parity.messages import say

_RANDOM = re.compile(r"dropout|rand|bernoulli|normal|noise")


def reactions(case: Case) -> Iterator[Finding]:
    for iteration in case.iterations:
        for seen in iteration.reactions:
            if seen.kind in ("alone", "cut", "index"):
                yield _unheard(seen, iteration.number)
            elif seen.kind == "unheard":
                yield Finding("graph-cut", seen.network, say(
                    "what {network} gives depends on all {count} positions of its input, and a gradient goes back to the last of "
                    "them alone: this line leaves the graph, on purpose?", network=seen.network, count=seen.count), site=seen.site,
                              iteration=iteration.number, mild=True)
            elif seen.kind == "place":
                if _is_whole(case, seen):  # each row may have a parameter of its own
                    continue
                yield Finding("place-in-batch", seen.network, say(
                    "what {network} gives for an example depends on the place of the example in the batch, on purpose?",
                    network=seen.network),
                              say("the {count} rows of its input, of shape {shape}, were moved on by one, and what it gave was not "
                                  "(in eval mode)", count=seen.count, shape=list(seen.shape)), seen.site, iteration.number)
            elif seen.kind != "rows":
                yield _positions(seen, iteration.number)
            elif not _is_whole(case, seen):
                yield _rows(seen, iteration.number)


def _is_whole(case: Case, seen: Reaction) -> bool:
    """Whether its input is all of the data, the same at each step: the nodes of a graph, the points of a set."""
    fed = [[batch for batch in iteration.batches if batch.network == seen.network] for iteration in case.iterations]
    by_call = [[batch.hash for batch in batches if batch.call == call] for batches in fed
               for call in dict.fromkeys(batch.call for batch in batches)]
    return len(fed) > 1 and all(hashes == by_call[0] for hashes in by_call)


def _rows(seen: Reaction, iteration: int) -> Finding:
    evidence = say("one of the {count} rows of its input, of shape {shape}, was replaced by another, and the outputs of others "
                   "changed (in eval mode)", count=seen.count, shape=list(seen.shape))
    if seen.layer:
        message = say("{network} mixes the examples of a batch: {layer} runs over them", network=seen.network, layer=seen.layer)
        return Finding("rows-mixed", seen.network, message, evidence, seen.site, iteration)
    message = say("{network} mixes the examples of a batch: what it gives for one depends on the others, on purpose?",
                  network=seen.network)
    return Finding("rows-mixed", seen.network, message, evidence, seen.site, iteration,
                   say("look at the axes on this line: the first one is the batch"), mild=True)


def _unheard(seen: Reaction, iteration: int) -> Finding:
    if seen.kind == "alone":
        return Finding("neighbours-ignored", seen.network, say(
            "{network} does not use the graph that it is given: what it gives for a node depends on that node alone",
            network=seen.network), say("the nodes with the most edges were replaced, and none of the others reacted"), seen.site,
                       iteration)
    if seen.kind == "cut":
        return Finding("graph-cut", seen.network, say(
            "what {network} gives depends on {layers}, and no gradient goes back: this line leaves the graph", network=seen.network,
            layers=seen.layer), say("with other weights there the output was another"), seen.site, iteration)
    return Finding("index-without-gradient", seen.network, say(
        "what {network} gives depends on {layers} by an index alone: no gradient goes back through it, on purpose?",
        network=seen.network, layers=seen.layer), say("with other weights there the output was another"), seen.site, iteration)


def _positions(seen: Reaction, iteration: int) -> Finding:
    values = {"network": seen.network, "position": seen.position, "source": seen.source}
    if seen.kind == "ahead":
        return Finding("sees-its-target", seen.network, say(
            "{network} sees what it is to guess: its output at position {position} depends on position {source} of the input, "
            "which is its target", **values), site=seen.site, iteration=iteration)
    if seen.kind == "unshifted":
        return Finding("target-not-shifted", seen.network, say(
            "the targets of {network} are its inputs, at the same positions, and it sees none that come later: it learns to copy",
            **values), site=seen.site, iteration=iteration)
    return Finding("target-out-of-sight", seen.network, say(
        "{network} does not see what it is to give: the target at position {position} is position {source} of the input, on which "
        "that output does not depend", **values), site=seen.site, iteration=iteration)


LOOKS = 3  # of them at a target network, the latest some iterations after the first


def unsynchronised(case: Case) -> Iterator[Finding]:
    """Target networks that never had the weights of the network that is trained, and stand still: not a teacher of the same input,
    nor a random network to be predicted."""
    seen: dict[int, list] = {}
    began = next((step.counts for _, step in case.steps() if step.updates), (None, None))
    if began[0] or began[1] != 1:  # it had been trained before, and the target may be of then
        return
    loads = state_loads(case)
    own = [site for site, same in loads if same]
    if len(own) < len(loads):
        return  # a line brings it up to date, maybe after the iterations that were watched
    for iteration in case.iterations:
        fed = {batch.hash for batch in iteration.batches if batch.training}
        for key, target in iteration.targets.items():
            seen.setdefault(key, []).append((target, target.fed in fed))
    for looks in seen.values():
        first = looks[0][0]
        still = len({target.marks for target, _ in looks}) == 1 and not any(target.same for target, _ in looks)
        if len(looks) >= LOOKS and still and not any(taught for _, taught in looks):
            yield Finding("target-unsynchronised", first.name, say(
                "{name}, which is built like {network}, never has its weights and stands still: a target that nothing brings up to "
                "date?", name=first.name, network=first.network), site=own[0] if len(own) == 1 else first.site, iteration=1)


def pairs(case: Case) -> Iterator[Finding]:
    """The two views of a pair are one and the same, in all iterations, and nothing in the network is drawn at random."""
    program = case.program
    for network in program.models:
        drops = any("Dropout" in type(module).__name__ and path in _awake(case) for path, module in program.modules.items()
                    if program.network_of(path) == network)
        rows = [[batch for batch in iteration.batches if batch.network == network and batch.training]
                for iteration in case.iterations]
        twins = all(batches and all(batch.twin for batch in batches) for batches in rows)
        if not twins or drops or len(rows) < LOOKS or forward_says(case, network, _RANDOM):
            continue
        yield Finding("views-alike", network, say(
            "the second half of what {network} is given is its first half again, in all {count} iterations: two views of a pair "
            "that are one and the same?", network=network, count=len(rows)), site=rows[0][0].site, iteration=1)


def _awake(case: Case) -> set[str]:
    return {path for iteration in case.iterations for path, use in iteration.modules.items() if use.awake}


def noise(case: Case) -> Iterator[Finding]:
    """A regression to random numbers that were drawn after the network had run: nothing that it was given can tell them."""
    close = case.close
    if close and all(iteration.drawn_late for iteration in close):
        yield Finding("target-drawn-late", "loss", say(
            "the target of this loss is drawn at random after the network has run: nothing that the network was given tells it"),
                      site=close[0].drawn_late[0], iteration=close[0].number)


def pulls(case: Case) -> Iterator[Finding]:
    """Cosines that are the whole loss, are all made larger, and whose two sides both learn: the same answer for all examples is the
    best one."""
    close = case.close
    if close and all(one.pulls and not one.losses and all(pull.only for pull in one.pulls) for one in close):
        yield Finding("only-drawn-together", "loss", say(
            "this loss draws two things together that both learn, and pushes nothing apart: it is least where all examples get the "
            "same answer, on purpose?"), site=close[0].pulls[0].site, iteration=1)


CHECKS = (noise, reactions, unsynchronised, pairs, pulls)

"""What the networks are fed."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator

import numpy as np

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import calling_site, dividing_site, loading_site, making_site, source_says
from parity.doctor.finding import Finding
from parity.doctor.record import LABELS, Batch
from parity.messages import say
from parity.trace.source import Site

_BATCHES = re.compile(r"DataLoader|loader|batch_size|BATCH|next\(")
_ORDERS = re.compile(r"loader|Loader|Sampler|\border")  # something whose task the order is
_SHUFFLES = re.compile(r"shuffle\s*=\s*True|permut|shuffle\(|RandomSampler|randperm")
_INSTEAD = {"one of many": say("take a sigmoid in the place of the softmax: each label by itself"),
            "axis": say("take the softmax over the axis of the classes: dim=1, axis=1 or -1"),
            "signs": say("give it labels of -1 and 1: 2 * label - 1"),
            "rate": say("log_input=False, or give it the logarithm: the last layer without its softplus or exp"),
            "several": say("a binary cross entropy (with logits) where each label stands for itself; where they are one "
                           "distribution, divide each row by its sum"),
            "beyond": say("bring the targets to 0 and 1: divide a mask of 0 and 255 by 255"),
            "as they are": say("leave use_softmax away, or give it the softmax of them"),
            "blank": say("number the symbols so that none is the blank (0 unless `blank` says another)")}
SMALL = 0.01  # the largest value of an input that is next to nothing beside the biases that are added to it
LARGE = 20.0  # inputs brought to mean 0 and spread 1 stay below it
WIDE = 10.0  # ... and their root mean square is 1, but for a few values: a tenth of it, or ten times, is still well fed
CHANCE = 3.09  # standard deviations: one set of data in a thousand is that far off by chance


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


def alike(case: Case) -> Iterator[Finding]:
    """Networks whose input is the same for all examples, in every call of every iteration: nothing tells them apart."""
    for network in case.program.models:
        calls: dict[tuple[int, int], list] = {}
        for iteration in case.iterations:
            for batch in iteration.batches:
                if batch.network == network and batch.training and len(batch.shape) > 1 and batch.shape[0] > 1:
                    calls.setdefault((iteration.number, batch.call), []).append(batch)
        batches = [batch for call in calls.values() for batch in call]
        if len(calls) < 3 or not all(batch.alike for batch in batches):
            continue
        kinds, first = {batch.alike for batch in batches}, batches[0]
        if kinds == {"constant"} and network in case.program.leaves:
            continue  # a layer by itself, of a constant: a bias
        if kinds == {"rows"} and len({batch.hash for batch in batches}) == 1:
            continue  # said by `repeats`
        message = (say("the input of {network} is 0 throughout, in all of its {count} calls", network=network, count=len(calls))
                   if kinds == {"zero"} else
                   say("the input of {network} is a constant, in all of its {count} calls", network=network, count=len(calls))
                   if kinds <= {"zero", "constant"} else
                   say("all examples that {network} is given in a call are the same, in all of its {count} calls", network=network,
                       count=len(calls)))
        yield Finding("input-constant", network, message, say("shape {shape}, values in [{low:.3g}, {high:.3g}]",
                                                              shape=list(first.shape), low=first.low, high=first.high),
                      first.site, 3)


def ranges(case: Case) -> Iterator[Finding]:
    seen = set()
    for iteration in case.iterations[:2]:
        for batch in iteration.batches:
            # A network may bring them there itself, by arithmetic or with a norm as its first layer.
            first = iteration.first_inputs.get(batch.network, LARGE + 1)
            large = max(abs(batch.low), abs(batch.high)) > LARGE and batch.size > WIDE
            if large and first > LARGE and batch.network not in seen and not _is_one_layer_that_learns(case, batch.network):
                seen.add(batch.network)
                pictures = len(batch.shape) == 4 and batch.low >= 0
                values = {"network": batch.network, "low": batch.low, "high": batch.high}
                yield Finding(
                    "input-range",
                    batch.network,
                    say("the input of {network} is in [{low:.3g}, {high:.3g}]: pictures as bytes, 0 to 255", **values) if pictures
                    else say("the input of {network} is in [{low:.3g}, {high:.3g}], far from mean 0 and spread 1", **values),
                    say("mean {mean:.3g}; the norm behind the first layer takes the scale away, so what it gives is the same; "
                        "weight decay, and all else that is done with the input, is not", mean=batch.mean)
                    if batch.network in iteration.normed else say("mean {mean:.3g}", mean=batch.mean),
                    batch.site,
                    iteration.number,
                    mild=batch.network in iteration.normed,
                )


def _is_one_layer_that_learns(case: Case, network: str) -> bool:
    """Whether it is a single layer and its losses fall: there a large input is what a small learning rate makes up for."""
    layers = {name.rpartition(".")[0] for name in case.program.parameters if case.program.network_of(name) == network}
    course = [sum(backward.losses) for iteration in case.iterations for backward in iteration.backwards]
    half = len(course) // 2
    return len(layers) == 1 and half > 1 and statistics.median(course[half:]) < statistics.median(course[:half])


def repeats(case: Case) -> Iterator[Finding]:
    """A batch that never changes; batches that come in the same order at each epoch."""
    trained = [iteration for iteration in case.iterations if iteration.backwards or iteration.steps]
    fed = [[batch for batch in iteration.batches if batch.training] for iteration in trained]
    rows = [tuple(batch.hash for batch in batches) for batches in fed]
    if len(rows) < 3 or not all(rows):
        return
    site = fed[0][0].site
    if len(set(rows)) == 1:
        if not source_says(case, _BATCHES):
            return  # of a program without batches, all data at each step is what it means to do
        whole = all(batch.same for batches in fed[1:] for batch in batches)
        yield Finding(
            "full-batch" if whole else "batch-constant",
            fed[0][0].network,
            say("all {count} iterations saw the very same batch: all data at once, on purpose?", count=len(rows)) if whole
            else say("all {count} iterations saw the very same batch", count=len(rows)),
            site=site,
            iteration=3,
        )
        return
    for period in range(2, len(rows) // 2 + 1):
        if all(row == rows[index % period] for index, row in enumerate(rows)):
            meant = source_says(case, _SHUFFLES)
            if not meant and not source_says(case, _ORDERS) and _exchangeable(fed[:period]):
                return
            yield Finding(
                "order-repeats" if meant else "never-shuffled",
                fed[0][0].network,
                say("the same {period} batches come again in the same order: what should shuffle them between epochs does not",
                    period=period) if meant else
                say("the same {period} batches come again in the same order: nothing is shuffled between epochs, on purpose?",
                    period=period),
                say("{count} iterations, period {period}", count=len(rows), period=period),
                site,
                2 * period,
            )
            return


def tiny(case: Case) -> Iterator[Finding]:
    """Networks whose first layer is given next to nothing, in all iterations that were watched closely."""
    for network in case.program.models:
        sizes = [iteration.first_inputs[network] for iteration in case.iterations if network in iteration.first_inputs]
        fed = [batch for iteration in case.iterations for batch in iteration.batches if batch.network == network and batch.size]
        if not fed or not sizes or not 0 < max(sizes) < SMALL or any(network in one.normed for one in case.iterations):
            continue
        yield Finding("input-range", network, say(
            "the first layer of {network} is given values of at most {size:.2g}: next to nothing beside its biases",
            network=network, size=max(sizes)), site=dividing_site(case, network) or fed[0].site, iteration=1, mild=True,
                      instead=say("scale the input once, to about [-1, 1]: is it divided twice?"))


def _exchangeable(fed: list[list[Batch]]) -> bool:
    """Whether the batches differ from one another no more than random draws from one set would: their order tells nothing.

    The variance of the batches' means over that of their rows' (an F ratio), against chi-square's quantile by Wilson and Hilferty.
    """
    for inputs in zip(*fed, strict=False):
        means, variances, counts = (np.asarray(column) for column in zip(*(batch.rows for batch in inputs), strict=True))
        if not counts.all() or not variances.any():
            return False
        freedom = len(means) - 1
        quantile = freedom * (1 - 2 / (9 * freedom) + CHANCE * np.sqrt(2 / (9 * freedom))) ** 3
        if counts.mean() * means.var() * len(means) / variances.mean() > quantile:
            return False
    return True


def reach(case: Case) -> Iterator[Finding]:
    """Targets of a regression that the network's last activation cannot come to."""
    for iteration in case.iterations:
        for kind, low, high, site in iteration.out_of_reach:
            yield Finding("target-out-of-reach", kind, say(
                "the prediction comes out of a {kind}, and the targets are in [{low:.3g}, {high:.3g}]: it cannot come to all of "
                "them", kind=kind, low=low, high=high), site=calling_site(case, kind) or site, iteration=iteration.number)
            return


def renumbered(case: Case) -> Iterator[Finding]:
    for iteration in case.iterations:
        for before, after, site in iteration.renumbered:
            values = {"before": list(before), "after": list(after)}
            yield Finding("axes-renumbered", "reshape", say(
                "a reshape from {before} to {after} has the same axes in another order: it scrambles what it holds, on purpose?",
                **values) if len(after) > 2 else say(
                "a reshape from {before} to {after} makes rows of the second axis, which has not been moved to the end: it "
                "scrambles what it holds, on purpose?", **values), site=site, iteration=iteration.number)
            return


def labels(case: Case) -> Iterator[Finding]:
    rows: dict[str, list] = {}
    for iteration in case.iterations:
        for seen in iteration.labels:
            rows.setdefault(seen.name, []).append((iteration.number, seen))
    for name in sorted(rows, key=lambda name: name == LABELS):
        large = [entry for entry in rows[name] if entry[1].size >= 4]
        # The same number in all of them is no class: a contrastive loss's zeros, lengths. Nor are two in one iteration: real, made.
        told = {(number, entry.first) for number, entry in large}
        apart = name == LABELS and len(told) > len({number for number, _ in told})
        if (len(large) >= 3 and all(entry[1].classes == 1 for entry in large) and len({first for _, first in told}) > 1
                and not apart):
            yield Finding(
                "labels-sorted",
                name,
                say("each batch holds one class only ({name}: {labels}, ...)", name=name,
                    labels=", ".join(str(entry[1].first) for entry in large[:6])),
                site=loading_site(case, next((step.site for _, step in case.steps()), None)) or large[0][1].site,
                iteration=large[2][0],
            )
            return


def inputs(case: Case) -> Iterator[Finding]:
    """A softmax before a loss that has its own, no logarithm before one that wants it, and the like."""
    said = [(iteration.number, *entry) for iteration in case.iterations for entry in iteration.unfit]
    for number, name, given, made, site in said[:1]:
        if made is None and given == "axis":  # what it gave was cut or indexed since
            made = calling_site(case, "log_softmax")
        elif given in ("several", "as they are"):
            made = making_site(case, "CrossEntropyLoss")
        site = made or site
        wants = {
            "sigmoid": say("{loss} is given probabilities; it expects raw scores, and takes the sigmoid itself", loss=name),
            "one of many": say("{loss} is given a softmax, whose rows add up to 1, and labels of which a row has several or none: "
                               "take a sigmoid of each", loss=name),
            "softmax": say("{loss} is given probabilities; it expects raw scores, and takes the softmax itself", loss=name),
            "axis": say("{loss} is given a softmax over the wrong axis: over the classes it does not add up to 1", loss=name),
            "blank": say("the targets of {loss} hold the blank, which stands between symbols and is none", loss=name),
            "probabilities": say("{loss} is given probabilities; it expects their logarithms", loss=name),
            "scores": say("{loss} is given raw scores; it expects logarithms of probabilities, which are never above 0", loss=name),
            "signs": say("{loss} is given labels of 0 and 1; it expects -1 and 1, and 0 belongs to neither side", loss=name),
            "rate": say("{loss} is given a rate, which is never below 0; it expects the logarithm, and takes the exp itself",
                        loss=name),
            "several": say("the targets of {loss} have more than one label in a row, and it takes a row for one distribution, "
                           "which adds up to 1: on purpose?", loss=name),
            "beyond": say("{loss} is given targets beyond 0 and 1, between which it has its smallest value", loss=name),
            "as they are": say("{loss} is told to take no softmax and is given raw scores; it takes their logarithm", loss=name),
        }[given]
        yield Finding("loss-input", name, wants, site=site, iteration=number, instead=_INSTEAD.get(given),
                      mild=given == "several")


NOTHING = 0.01  # of 0 to 1: a mask of zeros and ones that was divided by 255 is at most 0.004


def targets(case: Case) -> Iterator[Finding]:
    """Binary cross entropies whose targets are all next to 0, and not all 0, in each iteration."""
    rows: dict[str, list] = {}
    for iteration in case.iterations:
        for name, largest, site in iteration.largest_targets:
            rows.setdefault(name, []).append((largest, site))
    for name, seen in rows.items():
        largest = max(value for value, _ in seen)
        if len(seen) >= 3 and 0 < largest < NOTHING:
            yield Finding("target-tiny", name, say(
                "no target of {loss} is above {largest:.2g}, and not all are 0: a mask that is divided by 255 once too often?",
                loss=name, largest=largest), site=seen[0][1], iteration=3)


def dropping(site: Site | None, iteration: int = 0) -> Finding:
    """Of functional dropout at that line."""
    return Finding("dropout-always", "dropout", say(
        "this dropout drops in eval mode: it is not told whether the network is in training"), site=site, iteration=iteration)


def dropouts(case: Case) -> Iterator[Finding]:
    for iteration in case.iterations:
        for site in iteration.dropouts:
            yield dropping(site, iteration.number)
            return


FLAT = 0.75  # of what guessing gives: the least that a loss can come to


def cosines(case: Case) -> Iterator[Finding]:
    """Cross entropies of cosines whose factor is so small that no cosines make the loss small: with factor s, at best 1 for the
    right class and -1 for all others, it is ln(1 + (C - 1) exp(-2 s))."""
    seen = [iteration.cosines[0] for iteration in case.close if iteration.cosines]
    if not seen or len(seen) < len(case.close):
        return
    factor, classes, site = seen[0]
    least, guessed = np.log1p((classes - 1) * np.exp(-2 * abs(factor))), np.log(classes)
    if classes > 1 and least > FLAT * guessed:
        yield Finding("cosines-flat", "loss", say(
            "the scores are {factor:.3g} times cosines: with {classes} classes the loss cannot come below {least:.3g}, where "
            "guessing gives {guessed:.3g}", factor=factor, classes=classes, least=least, guessed=guessed), site=site, iteration=1)


ALWAYS = 3  # iterations, at least, and in each of them
MOST_ROWS = 0.5


def verdicts(case: Case) -> Iterator[Finding]:
    """A network that tells two kinds apart (a discriminator), and whose own steps have seen one kind alone: both of its losses
    have the same target."""
    seen: dict[str, list[list[tuple[float, float, Site | None]]]] = {}
    for iteration in case.iterations:
        steps = sorted(iteration.steps, key=lambda step: step.tick)
        before = 0
        for step in steps:
            mine = {case.program.network_of(name) for name in case.program.held_names(step.optimizer)}
            own: dict[str, list] = {}
            for network, tick, low, high, site in iteration.judged:
                if before < tick < step.tick and network in mine:
                    own.setdefault(network, []).append((low, high, site))
            before = step.tick
            for network, targets_ in own.items():
                seen.setdefault(network, []).append(targets_)
    for network, rows in seen.items():
        rows = rows[1:]  # the watch may have begun in the midst of the first
        ranges = {(low, high) for row in rows for low, high, _ in row}
        if len(rows) >= ALWAYS and all(len(row) > 1 for row in rows) and len(ranges) == 1 and len(set(*ranges)) == 1:
            yield Finding("verdict-constant", network, say(
                "all that {network} is to tell apart has the same label, {label:g}, in each of its losses: it learns to give that, "
                "whatever it sees", network=network, label=ranges.pop()[0]), site=rows[0][-1][-1], iteration=1)


def padding(case: Case) -> Iterator[Finding]:
    """An id that an embedding takes for padding, and that stands between others in most rows."""
    rows: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for iteration in case.iterations:
        for path, number, inside, count in iteration.padded:
            rows.setdefault((path, number), []).append((inside, count))
    for (path, number), seen in rows.items():
        inside, count = map(sum, zip(*seen, strict=True))
        if count and inside > MOST_ROWS * count:
            yield Finding("padding-inside", path, say(
                "{layer} keeps id {number} at 0, as padding, and {inside} of {count} rows have it between other ids: does it stand "
                "for something?", layer=path, number=number, inside=inside, count=count), site=case.program.site_of(path),
                          iteration=1)


def squares(case: Case) -> Iterator[Finding]:
    """Scores of all rows of a batch against all of another, with one label for all rows."""
    seen = [one for iteration in case.iterations for one in iteration.one_label]
    if len(seen) >= ALWAYS and not any(iteration.many_labels for iteration in case.iterations):
        label, rows, site = seen[0]
        yield Finding("labels-constant", "labels", say(
            "the scores are {rows} by {rows}, and the label of all rows is {label}: each has its own, in pairs of a batch "
            "(0, 1, 2, ...), on purpose?", rows=rows, label=label), site=site, iteration=ALWAYS)


CHECKS = (squares, targets, cosines, verdicts, padding, dropouts, shapes, inputs, alike, ranges, tiny, reach, renumbered, repeats,
          labels)

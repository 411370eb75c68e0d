"""Values that no healthy forward or backward has."""

from __future__ import annotations

import math
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.finding import Finding
from parity.doctor.record import Iteration, NonFinite
from parity.messages import say, several, some
from parity.trace.source import Site

DEAD, SATURATED = 0.999, 0.95
# Features that tell pictures apart vary by about .3 of their size (maximum pooling); averages of an instance-normed map by
# .02; a hidden layer that is fed a single number of little spread, by .05.
CONSTANT = 0.03
ROUNDING = 1e-5  # features below it are what rounding leaves of an average that is 0


def finite(case: Case) -> Iterator[Finding]:
    """The first operation that made a NaN or an infinity; those that vanished again on the way (Paddle's relu(NaN) is 0)."""
    odd = [iteration for iteration in case.iterations if iteration.odd]
    if odd:
        first, *later = odd
        # What was not placed, and has not got into the parameters, is placed by the next iteration: that one is watched closely.
        if later and not first.harmed and not _watched(first) and _origin(first) is None and _origin(later[0]):
            first = later[0]
        yield _not_finite(case, first)


def _watched(iteration: Iteration) -> bool:
    return iteration.close or iteration.again


def _seen(iteration: Iteration) -> list[NonFinite]:
    return sorted((value for value in iteration.nonfinite if value.nan or iteration.harmed), key=lambda value: value.tick)


def _origin(iteration: Iteration) -> NonFinite | None:
    return next((value for value in _seen(iteration) if value.inputs_finite), None)


def _not_finite(case: Case, iteration: Iteration) -> Finding:
    bad_gradients, bad_loss = iteration.bad_gradients, iteration.bad_loss
    gradients = plural(len(bad_gradients), "gradient")
    evidence = (say("loss not finite, {gradients} not finite", gradients=gradients) if bad_loss else
                say("loss finite, {gradients} not finite", gradients=gradients))
    seen, origin = _seen(iteration), _origin(iteration)
    first = origin or next(iter(seen), None)
    if origin is None and not _watched(iteration):
        about = first.what if first else bad_gradients[0] if bad_gradients else say("the loss")
        message = say("{value} is not finite, in an iteration that was not watched closely: what made it so is not known",
                      value=about)
        site = first.site if first else iteration.backwards[-1].site if iteration.backwards else None
        return Finding("nonfinite", about, message, evidence, site, iteration.number,
                       say("watch that iteration closely: parity.doctor(..., close={number}); or run it as `parity doctor "
                           "module:function`, which repeats it for its line", number=iteration.number))
    if first is None:
        names = bad_gradients or iteration.bad_parameters
        return Finding("nonfinite", names[0] if names else "loss", say(
            "the forward is finite, and the backward is not: {gradients} ({names})", names=some(names),
            gradients=plural(len(names), "gradient")), say("a root or norm of 0 has an infinite slope"),
                       case.turning_point("nonfinite", iteration) or _bad_backward(iteration), iteration.number)
    message = say("{value} is the first value that is {what}", value=first.what, what="NaN" if first.nan else say("infinite"))
    if first.inputs_finite:
        message = say("{message}, what went in was finite", message=message)
    if first.nan and not iteration.harmed:
        message = say("{message}; it does not show in the loss, because a relu or max pooling swallowed it", message=message)
    return Finding("nonfinite", first.what, message, evidence, first.site, iteration.number)


def _bad_backward(iteration: Iteration) -> Site | None:
    """The latest backward before the first step with a gradient that is not finite."""
    step = next((step for step in iteration.steps if any(update.bad_gradient for update in step.updates.values())), None)
    before = [backward for backward in iteration.backwards if step is None or backward.tick < step.tick]
    return before[-1].site if before else None


def activations(case: Case) -> Iterator[Finding]:
    close = [iteration for iteration in case.iterations if iteration.close]
    for path in dict.fromkeys(path for iteration in close for path in iteration.activations):
        seen = [iteration.activations[path] for iteration in close if path in iteration.activations]
        size = sum(one.size for one in seen)
        zeros, flat = sum(one.zeros for one in seen) / size, sum(one.flat for one in seen) / size
        if zeros > DEAD:
            yield Finding("activation-dead", path, say("{layer} ({kind}) is dead: {share:.1%} of what comes out is 0",
                                                         layer=path, kind=seen[0].kind, share=zeros),
                          site=case.program.site_of(path), iteration=close[0].number)
        if flat > SATURATED:
            yield Finding(
                "activation-saturated",
                path,
                say("{layer} ({kind}) is saturated: {share:.1%} of what comes out is at its flat ends", layer=path,
                    kind=seen[0].kind, share=flat),
                site=case.program.site_of(path),
                iteration=close[0].number,
            )


def features(case: Case) -> Iterator[Finding]:
    """Classifiers whose input does not vary over the samples: nothing to tell them apart by."""
    close = [iteration for iteration in case.iterations if iteration.features]
    groups: dict[tuple[str, int], dict[str, float]] = {}
    for path in dict.fromkeys(path for iteration in close for path in iteration.features if path in case.program.modules):
        ratios = [iteration.features[path][0] / iteration.features[path][1] if iteration.features[path][1] > ROUNDING else 0.0
                  for iteration in close if path in iteration.features]
        width = case.framework.shape_dtype(next(iter(case.framework.parameters(case.program.modules[path]).values())))[0]
        # Heads side by side (gap_fc and gmp_fc) are one classifier: one of them that varies is enough.
        groups.setdefault((path.rpartition(".")[0], math.prod(width)), {})[path] = max(ratios)
    for paths in groups.values():
        if max(paths.values()) < CONSTANT:
            path = list(paths)[-1]
            samples = close[0].features[path][2]
            empty = all(iteration.features[path][1] <= ROUNDING for iteration in close if path in iteration.features)
            site = case.program.site_of(path)
            yield Finding(
                "features-constant",
                path,
                several("what {names} gets does not vary over {samples} samples: it cannot learn to tell them apart, and its loss "
                        "stays at chance",
                        "what {names} get does not vary over {samples} samples: it cannot learn to tell them apart, and its loss "
                        "stays at chance", len(paths), names=some(paths), samples=samples),
                say("spread over samples / size: {ratios} (pooled maxima: 0.1 and more; below {limit}: constant)", limit=CONSTANT,
                    ratios=", ".join(f"{ratio:.2g}" for ratio in paths.values())),
                _call_site(case, list(paths)[-1]) or site,
                close[0].number,
                say("it is 0 for all of them: see how the layers before it start, and what they are given") if empty else None,
            )


def _call_site(case: Case, path: str):
    """The line that feeds the head."""
    return next((use.site for iteration in case.iterations if (use := iteration.modules.get(path)) and use.site), None)


def half(case: Case) -> Iterator[Finding]:
    for iteration, step in case.steps():
        names = [name for name, update in step.updates.items() if update.half and update.zeros > 0.5]
        if names:
            share = max(step.updates[name].zeros for name in names)
            yield Finding(
                "fp16-underflow",
                names[0],
                say("{share:.0%} of the float16 gradient of {names} is exactly 0: too small for float16", share=share,
                    names=some(names)),
                site=step.site,
                iteration=iteration.number,
            )
            return


CHECKS = (finite, activations, features, half)

"""What gradients hold when a step goes by them: left over, thrown away, clipped too late."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import making_site
from parity.doctor.finding import Finding
from parity.messages import say, some


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
                          else say("another optimizer's step lies between the two backwards"),
                          next((backward.site for backward in iteration.backwards if backward.within and backward.tick > step.tick),
                               step.site), iteration.number)


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


TIGHT, FEWEST = 1e-2, 5  # of the gradient is left, in so many steps and all others
SLOW = 1e-4  # of a weight's size, moved by a step


def tight(case: Case) -> Iterator[Finding]:
    """A clip that takes nearly all of the gradient in every step, where the step is as large as what is left (Adam's is not)."""
    for optimizer in case.program.optimizers:
        if case.framework.optimizer_kind(case.program.optimizers[optimizer]) != "SGD":
            continue
        seen = [(share, site) for iteration in case.iterations for name, share, site in iteration.clips if name == optimizer]
        ratios = [update.change / update.weight for _, step in case.steps(optimizer) for update in step.updates.values()
                  if update.gradient and update.weight]
        if len(seen) < FEWEST or max(share for share, _ in seen) > TIGHT or not ratios or statistics.median(ratios) > SLOW:
            continue
        yield Finding("clip-too-tight", optimizer, say(
            "the clip leaves {share:.1g} of the gradient of {optimizer}, and no more than that in any of its {steps}",
            share=max(share for share, _ in seen), optimizer=optimizer, steps=plural(len(seen), "step")),
                      say("a step moves the parameters by {ratio:.1g} of their size", ratio=statistics.median(ratios)),
                      seen[0][1] or making_site(case, "ClipGradByGlobalNorm") or case.program.optimizer_site(optimizer), 1)


CHECKS = (mixed, discarded, clipping, tight)

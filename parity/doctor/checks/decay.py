"""Weight decay beside the gradient of the loss."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.finding import Finding
from parity.doctor.program import DECAY
from parity.messages import say, some


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
                program.optimizer_site(name, DECAY),
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
                site=program.optimizer_site(name, DECAY),
                iteration=1,
            )


def _is_norms(case: Case, name: str) -> bool:
    """Whether it is a norm's scale or shift. (The bias of a layer before a norm has no gradient to speak of, and no effect.)"""
    return "norm" in type(case.program.modules.get(name.rpartition(".")[0])).__name__.lower()


CHECKS = (decay,)

"""Mixed precision: a scaled loss must be unscaled before anything looks at its gradients, and some step must come through."""

from __future__ import annotations

from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.finding import Finding
from parity.messages import say

SKIPS = 10  # steps that a scaler may skip at first, while it halves its scale; each halving takes one


def scaler(case: Case) -> Iterator[Finding]:
    scaled = [iteration for iteration in case.iterations if iteration.amp["scale"]]
    around = [(iteration, step) for iteration in scaled for step in iteration.steps
              if not iteration.amp["step"] and not iteration.amp["unscale_"]]
    if around:
        iteration, step = around[0]
        yield Finding("scaler-bypassed", step.optimizer, say(
            "the loss is scaled, and {optimizer}.step() is called by itself: it steps with gradients {scale:.3g} times too large",
            optimizer=step.optimizer, scale=iteration.amp_scale),
                      say("no scaler.step(optimizer) in the iteration"), step.site, iteration.number)
    clipped = next((iteration for iteration in scaled if iteration.clipped_at), None)
    if clipped:
        yield Finding("clip-before-unscale", "scaler", say(
            "gradients are clipped while they are scaled by {scale:.3g}: the clip takes nearly all of them away",
            scale=clipped.amp_scale), site=clipped.clipped_at, iteration=clipped.number)
    asked = [iteration for iteration in case.iterations if iteration.amp["step"]]
    if len(asked) >= SKIPS and not any(iteration.steps for iteration in asked):
        yield Finding("scaler-skips", "scaler", say(
            "the scaler skipped the step in all {iterations}: some gradient is never finite",
            iterations=plural(len(asked), "iteration")),
                      say("scale {first:.3g} at first, {last:.3g} at last", first=asked[0].amp_scale, last=asked[-1].amp_scale),
                      asked[0].amp_site, SKIPS)


CHECKS = (scaler,)

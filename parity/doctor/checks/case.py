"""What the checks look at: the program, and what was written down of its iterations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parity.doctor.places import decorator_site
from parity.doctor.program import Program
from parity.doctor.record import Cut, Iteration, Step
from parity.messages import Message, several
from parity.trace.source import Site


@dataclass(frozen=True)
class Case:
    """program: as it is after the last iteration. iterations: those that were watched, in order. moved_by_hand: parameters that no
    optimizer held at first and that have changed.
    """

    program: Program
    iterations: tuple[Iteration, ...]
    moved_by_hand: frozenset[str] = frozenset()

    @property
    def framework(self) -> Any:
        return self.program.framework

    @property
    def close(self) -> list[Iteration]:
        """Iterations that were watched closely; of several without the first: the watch may have begun in the midst of a line."""
        close = [iteration for iteration in self.iterations if iteration.close and iteration.backwards]
        return close[1:] or close

    def tells_apart(self, latest: int) -> bool:
        """Whether the examples of the latest iterations are told right more often than by guessing: by three deviations."""
        counted = [told for iteration in self.iterations[-latest:] for told in iteration.told]
        beyond = sum(right - chance for _, right, chance in counted)
        deviation = math.sqrt(sum(chance * (1 - chance / examples) for examples, _, chance in counted))
        return beyond > 3 * deviation

    def steps(self, optimizer: str | None = None) -> Iterator[tuple[Iteration, Step]]:
        for iteration in self.iterations:
            for step in iteration.steps:
                if optimizer in (None, step.optimizer):
                    yield iteration, step

    def ran(self, path: str) -> bool:
        return any(path in iteration.modules for iteration in self.iterations)

    def trained(self, network: str) -> bool:
        """Whether some optimizer holds a parameter of the network."""
        return any(self.program.network_of(name) == network for name in self.program.held_anywhere)

    def switched_off(self, path: str | None = None) -> Site | None:
        """Where gradients were switched off for a module (for any network) that never ran with them: its decorator, or the line
        that called it."""
        for iteration in self.iterations:
            for name, use in iteration.modules.items():
                wanted = name == path if path else name in self.program.models
                uses = [other.modules[name] for other in self.iterations if name in other.modules]
                if wanted and use.off and not any(one.with_grad for one in uses):
                    return self._decorated(name) or use.off
        return None

    def _decorated(self, path: str) -> Site | None:
        """The decorator that switches gradients off for the forward of this module, or of one around it."""
        while path:
            if path in self.program.modules and (site := decorator_site(type(self.program.modules[path]), "forward", "no_grad")):
                return site
            path = path.rpartition(".")[0]
        return None

    def loss_site(self, step: Step | None = None) -> Site | None:
        """The line that bound the loss of the latest backward before a step (without one: of the first); else the backward's."""
        for iteration in self.iterations:
            backwards = [backward for backward in iteration.backwards if step is None or backward.tick < step.tick]
            if backwards and (step is None or step in iteration.steps):
                backward = backwards[0 if step is None else -1]
                bound = [term for term in iteration.terms.values() if term.value in backward.losses]
                return bound[-1].site if bound else backward.site
        return step.site if step else None

    def cut(self) -> Cut | None:
        """The first line that left the graph and whose result went on as a tensor (u and v rightly have none: they come last)."""
        cuts = [cut for iteration in self.iterations for cut in iteration.cuts if cut.used]
        return next(iter(sorted(cuts, key=lambda cut: cut.how == "no_grad")), None)


    def suspect(self, step: Step) -> Cut | None:
        """The first line that may have left the graph in its middle, on the way to the latest backward before that step."""
        for iteration in self.iterations:
            ticks = [0, *(backward.tick for backward in iteration.backwards if backward.tick < step.tick)]
            if step in iteration.steps and len(ticks) > 1:
                return next((cut for cut in iteration.suspects if ticks[-2] < cut.tick < ticks[-1]), None)
        return None

    def turning_point(self, state: str, iteration: Iteration | None = None) -> Site | None:
        """The line that the backward came to alive and left with gradients that are "zero", or "nonfinite": what made the first
        value that still got a gradient that is neither, where all that were made before it got such."""
        for one in self.iterations if iteration is None else [iteration]:
            seen = [passed for passed in one.passed if passed.state]
            alive = next((number for number, passed in enumerate(seen) if passed.state == "alive"), None)
            if alive is not None and all(passed.state == state for passed in seen[:alive]):
                return seen[alive].site
        return None


_COUNTED = {
    "parameter": lambda count: several("{count} parameter", "{count} parameters", count),
    "norm parameter": lambda count: several("{count} norm parameter", "{count} norm parameters", count),
    "tensor": lambda count: several("{count} tensor", "{count} tensors", count),
    "gradient": lambda count: several("{count} gradient", "{count} gradients", count),
    "layer": lambda count: several("{count} layer", "{count} layers", count),
    "iteration": lambda count: several("{count} iteration", "{count} iterations", count),
    "time": lambda count: several("once", "{count} times", count),
    "step": lambda count: several("{count} step", "{count} steps", count),
}


def plural(count: int, noun: str) -> Message:
    return _COUNTED[noun](count)

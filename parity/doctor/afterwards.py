"""What a script does beside and after the iterations that are watched: looks at its evaluations, and at losses without a graph."""

from __future__ import annotations

import functools
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from parity.doctor.arrays import checksum
from parity.doctor.checks.case import Case
from parity.doctor.checks.data import dropping
from parity.doctor.checks.source import averaging_site, calling_eval, making_site
from parity.doctor.finding import Finding
from parity.doctor.session import Doctor
from parity.doctor.watching.dropouts import is_told
from parity.frameworks import Framework
from parity.messages import say, some
from parity.trace.source import Site

LOOKS = 3  # at the evaluations of each network: one may come before the first step
FAR = 10.0  # times as large, or as small, as what it was trained on


class Afterwards:
    """findings: of evaluations and late backwards.

    site: the line of the user's that is running; name: what the user calls a network; doctors: those of this script.
    """

    def __init__(self, site: Callable[[], Site | None], name: Callable[[Any], str], doctors: Sequence[Doctor]) -> None:
        self.findings: list[Finding] = []
        self.ran: set[int] = set()  # ids of modules that ran when enough was watched
        self._site, self._name, self._doctors = site, name, doctors
        self._looks: Counter[int] = Counter()
        self._known: dict[int, weakref.ref] = {}
        self._depth, self._outermost = 0, None
        self._asleep: dict[int, tuple[str, Any]] = {}  # networks that ran in eval mode with gradients on, since the latest backward
        self._marks: dict[int, int] = {}  # ... and of their parameters, at the backward of such a call

    def call(self, framework: Framework, original: Callable, module: Any, args: tuple, kwargs: dict) -> Any:
        """A network's: the outermost is looked at in eval mode, or without gradients, once a training is watched."""
        if self._depth == 0 and self._doctors and not (module.training and framework.grad_enabled()):
            with suppress(Exception):  # whatever is wrong with it, the script goes on
                self._look(framework, module, args)
        if self._depth == 0 and self._doctors and framework.grad_enabled():
            with suppress(Exception):
                self._note_mode(module)
        if self._doctors and self._doctors[-1].enough:
            self.ran.add(id(module))
        self._outermost = module if self._depth == 0 else self._outermost
        self._depth += 1
        try:
            return original(module, *args, **kwargs)
        finally:
            self._depth -= 1

    def dropout(self, original: Callable) -> Callable:
        """Of functional dropout: in a network in eval mode it should do nothing."""
        @functools.wraps(original)
        def dropout(*args: Any, **kwargs: Any) -> Any:
            if self._depth and self._doctors and not self._outermost.training and not is_told(original, args, kwargs):
                self._note(dropping(self._site()))
            return original(*args, **kwargs)
        return dropout

    def backward(self, framework: Framework, original: Callable) -> Callable:
        """Of the functions that start a backward: Paddle's does nothing, and says nothing, where the loss has no graph."""
        @functools.wraps(original)
        def backward(*args: Any, **kwargs: Any) -> Any:
            if self._doctors and self._doctors[-1].enough and not any(found.id == "loss-without-graph" for found in self.findings):
                losses = [tensor for _, tensor in framework.tensors_in([*args[:1], *kwargs.values()])]
                if losses and not any(map(framework.requires_grad, losses)):
                    self.findings.append(self._without_graph(off=not framework.grad_enabled()))
            if self._asleep:
                with suppress(Exception):
                    self._look_at_modes(framework)
            return original(*args, **kwargs)
        return backward

    def _note_mode(self, module: Any) -> None:
        name = next((name for doctor in self._doctors if doctor.enough for name, model in doctor.program.models.items()
                     if model is module and doctor.trained(name)), None)
        if name is not None and module.training:
            self._marks.pop(id(module), None)
            self._asleep.pop(id(module), None)
        elif name is not None:
            self._asleep[id(module)] = name, module

    def _look_at_modes(self, framework: Framework) -> None:
        """Networks that were trained in train mode at first, and are now trained in eval mode: their weights move from one backward
        to the next."""
        for key, (name, module) in self._asleep.items():
            sensitive = any(framework.moving_state(part) or "Dropout" in type(part).__name__
                            for _, part in framework.modules(module))
            if not sensitive:
                continue
            mark = checksum(np.concatenate([framework.values(p).ravel() for p in framework.parameters(module).values()]))
            if self._marks.setdefault(key, mark) != mark:
                self._note(Finding("eval-mode", name, say(
                    "{network} is trained in eval mode, in iterations after those that were watched: nothing has called train() "
                    "since an evaluation", network=name), site=calling_eval(Case(self._doctors[-1].program, ()), name)))
            self._marks[key] = mark
        self._asleep.clear()

    def _without_graph(self, off: bool) -> Finding:
        message = say("backward() was called on a loss without a graph, in an iteration after those that were watched: no gradient "
                      "is computed any more")
        switch = making_site(Case(self._doctors[-1].program, ()), "set_grad_enabled") if off else None
        remedy = say("switch them on again: set_grad_enabled(True), or `with no_grad():` for the evaluation alone")
        return Finding("loss-without-graph", "loss", message, say("gradients are switched off, everywhere") if off else "",
                       switch or self._site(), instead=remedy if off else None)

    def _look(self, framework: Framework, module: Any, args: tuple) -> None:
        known = self._known.get(id(module))
        if known is None or known() is not module:
            self._known[id(module)] = weakref.ref(module)
            self._looks[id(module)] = 0
        if self._looks[id(module)] >= LOOKS:
            return
        self._looks[id(module)] += 1
        if not module.training:
            self._statistics(framework, module)
        self._inputs(framework, module, args)

    def _statistics(self, framework: Framework, module: Any) -> None:
        """Batch norms that have learned, and whose running statistics are those that they began with."""
        stale = []
        for path, part in framework.modules(module):
            state = {name: framework.values(value) for name, value in framework.moving_state(part).items()}
            means = [value for name, value in state.items() if name.endswith("mean")]
            variances = [value for name, value in state.items() if name.endswith(("var", "variance"))]
            own = [framework.values(p) for name, p in framework.parameters(part).items() if "." not in name]
            learned = any(not np.isin(value, (0, 1)).all() for value in own)
            if means and variances and learned and not np.any(means) and (np.asarray(variances) == 1).all():
                stale.append(f"{self._name(module)}.{path}".rstrip("."))
        if stale:
            self._note(Finding("statistics-unmoved", stale[0], say(
                "{names} runs in eval mode with the running statistics that it began with, mean 0 and variance 1, though its scale "
                "has been trained", names=some(stale)), site=averaging_site(
                    file for doctor in self._doctors for file in doctor.program.files) or self._site()))

    def _inputs(self, framework: Framework, module: Any, args: tuple) -> None:
        """What is evaluated is of another size than what it was trained on."""
        for doctor in self._doctors:
            network = next((name for name, model in doctor.program.models.items() if model is module), None)
            fed = [batch for batch in doctor.batches(network) if batch.training and batch.size] if network else []
            given = next((tensor for _, tensor in framework.tensors_in(list(args))), None)
            if not fed or given is None:
                continue
            array = framework.values(given)
            fed = [batch for batch in fed if batch.shape[1:] == array.shape[1:]]
            size = float(np.sqrt(np.square(array, dtype=np.float64).mean())) if array.dtype.kind == "f" and array.size else 0.0
            low, high = (function(batch.size for batch in fed) for function in (min, max)) if fed else (0.0, 0.0)
            if fed and size and not low / FAR <= size <= high * FAR:
                self._note(Finding("evaluation-scale", network, say(
                    "what {network} is evaluated on is of another size than what it is trained on: {size:.3g} against {low:.3g} to "
                    "{high:.3g}", network=network, size=size, low=low, high=high), say("roots of the mean square"), self._site()))

    def _note(self, finding: Finding) -> None:
        if all(finding.id != other.id for other in self.findings):
            self.findings.append(finding)

"""What a network gives, held against its graph: does it depend on layers that no gradient goes back to?

The forward is run with gradients, and each output is asked which parameters a backward from it comes to. Where it comes to none
of a layer's, these are replaced: an output that then changes depends on the layer by a way that leaves the graph.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity.doctor.record import Reaction
from parity.doctor.watching.scene import Scene
from parity.trace.source import Site, class_text, statements_around

_BY_VALUE = re.compile(r"\.numpy\(|\.tolist\(|\.item\(|to_tensor\(|from_numpy\(|as_tensor\(|(?<![\w_])tensor\(")
_BY_INDEX = re.compile(r"arg(?:min|max|sort)\b|topk\b|nonzero\b")
MOST = 4  # layers that are named


@functools.cache
def leaves_graph(kind: type) -> bool:
    """Whether a class has lines that go on with numbers or with indices in the place of tensors. (`detach` says what it is for.)"""
    if kind.__module__.startswith(("torch.", "paddle.")):
        return False
    text = class_text(kind)
    return bool(_BY_VALUE.search(text) or _BY_INDEX.search(text))


class Cut(NamedTuple):
    """how: "cut" or "index", as in `Reaction`. before: paths of the layers that ran before it."""

    how: str
    site: Site
    before: set[str]


class Unreached:
    """run() -> what the network gives, as tensors; steps() -> what its forward did, in order: each has a `site`, and the `path` of
    a layer that ran, or "" for a line that was done."""

    def __init__(self, scene: Scene, network: str, module: Any, run: Callable[[], list[Any]],
                 steps: Callable[[], Sequence[Any]]) -> None:
        self._scene, self._framework, self._network, self._module = scene, scene.framework, network, module
        self._run, self._steps = run, steps

    def reactions(self) -> Iterator[Reaction]:
        """Of the first output that depends on layers without a gradient to them."""
        framework, program = self._framework, self._scene.program
        held = {name: p for name, p in program.trainable().items()
                if id(p) in program.holders and program.network_of(name) == self._network}
        outputs = self._run()
        before = [framework.values(output).copy() for output in outputs]
        again = [framework.values(output) for output in self._run()]
        if not all(one.shape == other.shape and np.array_equal(one, other, equal_nan=True)
                   for one, other in zip(before, again, strict=True)):
            return  # it moves a state of its own, that its output depends on (an average of codes)
        for number, output in enumerate(outputs):
            if not framework.requires_grad(output) or not framework.shape_dtype(output)[1].startswith("float"):
                continue
            reached = framework.reached(output, list(held.values()))
            layers: dict[str, list[Any]] = {}
            for (name, p), comes in zip(held.items(), reached, strict=True):
                layers.setdefault(name.rpartition(".")[0], []).append((p, comes))
            missing = {layer: [p for p, _ in all_] for layer, all_ in layers.items() if not any(comes for _, comes in all_)}
            cut = self._cut() if missing else None
            depends = [layer for layer, all_ in missing.items()
                       if cut is not None and layer in cut.before and self._changes(all_, number, before)]
            if cut is not None and cut.how == "index":  # the table that is looked up may learn otherwise
                depends = [layer for layer in depends if "Embedding" not in type(program.modules.get(layer)).__name__]
            if depends:
                yield Reaction(cut.how, self._network, cut.site, len(depends), layer=", ".join(depends[:MOST]))
                return

    def _changes(self, parameters: Sequence[Any], number: int, before: list[np.ndarray]) -> bool:
        """Whether that output is another with other values in these."""
        framework = self._framework
        kept = [framework.copied(p) for p in parameters]
        for p in parameters:
            framework.overwrite(p, framework.tensor(np.ascontiguousarray(0.1 - framework.values(p))))
        try:
            after = framework.values(self._run()[number])
        finally:
            for p, values in zip(parameters, kept, strict=True):
                framework.overwrite(p, values)
        return after.shape != before[number].shape or not np.array_equal(after, before[number], equal_nan=True)

    def _cut(self) -> Cut | None:
        """Where the graph is left: by value; or, by an index, where what the index stands for is looked up."""
        steps = self._steps()
        for how, pattern in (("cut", _BY_VALUE), ("index", _BY_INDEX)):
            number = next((number for number, step in enumerate(steps) if step.site and not step.path
                           and pattern.search(step.site.text)), None)
            if number is not None:
                site = steps[number].site
                return Cut(how, _looked_up(site) if how == "index" else site, {step.path for step in steps[:number]})
        return None


def _looked_up(index: Site) -> Site:
    """The first line below that reads what this one binds; else this one."""
    statements = statements_around(index)
    binding = statements.at(index.line) if statements is not None else None
    reading = (one.first for one in statements.all if one.first > index.line and set(binding.binds) & one.reads) if binding else ()
    return Site(index.file, next(iter(reading), index.line))

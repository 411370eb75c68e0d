"""How gradients are clipped before an optimizer's step: by a function of the framework, or by the optimizer itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from parity.blame import hand_on
from parity.frameworks import Framework
from parity.messages import Message, say, together
from parity.trace.source import SourceTree


class Clip(NamedTuple):
    """kind: "norm" or "value". bound: that of the norm, or of values (low, high). order: of the norm. sets: names of the tensors
    whose norm is one number; for "value" one set of all."""

    kind: str
    bound: tuple[float, ...]
    order: float
    sets: tuple[frozenset[str], ...]

    def said(self) -> Message:
        if self.kind == "value":
            low, high = self.bound
            return say("by value, to [{low}, {high}]", low=f"{low:g}", high=f"{high:g}")
        bound, norm = f"{self.bound[0]:g}", "" if self.order == 2 else f" {self.order:g}"
        count = sum(map(len, self.sets))
        if len(self.sets) == 1 and count > 1:
            return say("by the norm{norm} of {count} tensors together, to {bound}", norm=norm, count=count, bound=bound)
        if len(self.sets) == count:
            return say("by the norm{norm} of each of {count} tensors, to {bound}", norm=norm, count=count, bound=bound)
        return say("by the norm{norm} of each of {sets} groups of tensors, to {bound}", norm=norm, sets=len(self.sets), bound=bound)


class Clipping:
    """Watches one step of one side. `found`: optimizer -> how the gradients of its parameters were clipped before its update."""

    def __init__(self, framework: Framework, source: SourceTree, names: Mapping[int, str]) -> None:
        self._framework, self._source, self._names = framework, source, names
        self._seen: list[Clip] = []
        self.found: dict[str, tuple[Clip, ...]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The framework's functions that clip, wherever the user's modules have them, are seen for the duration of the block."""
        clips = self._framework.clips
        wrapped = {id(function): self._wrapped(name, function) for name in ("clip_grad_norm_", "clip_grad_value_")
                   if (function := getattr(clips, name, None)) is not None}
        undo = []
        for owner in (clips, *self._source.modules()):
            for name, value in list(vars(owner).items()):
                if id(value) in wrapped:
                    undo.append((owner, name, value))
                    setattr(owner, name, wrapped[id(value)])
        try:
            yield
        finally:
            for owner, name, value in undo:
                setattr(owner, name, value)

    def settle(self, optimizer: str, held: Any) -> None:
        """An update begins."""
        own = {self._names[id(one)] for one in self._framework.optimizer_parameters(held) if id(one) in self._names}
        clips = [*self._seen, *(self._clip(*found) for found in self._framework.clips_of(held))]
        joined: dict[tuple, set[frozenset[str]]] = {}
        for clip in clips:
            if any(names & own for names in clip.sets):
                joined.setdefault((clip.kind, clip.bound, clip.order), set()).update(clip.sets)
        self._seen = [clip for clip in self._seen if not any(names & own for names in clip.sets)]
        self.found[optimizer] = tuple(Clip(*key, _together(key[0], sets)) for key, sets in joined.items())

    def _clip(self, kind: str, bound: tuple[float, ...], order: float, sets: list[list[Any]]) -> Clip:
        named = [frozenset(self._names[id(one)] for one in held if id(one) in self._names) for held in sets]
        return Clip(kind, bound, order, tuple(names for names in named if names))

    def _wrapped(self, name: str, original: Callable) -> Callable:
        @functools.wraps(original)
        def clip(parameters: Any, bound: Any, *args: Any, **kwargs: Any) -> Any:
            held = [parameters] if self._framework.is_tensor(parameters) else list(parameters)
            graded = [one for one in held if self._framework.gradient(one) is not None]
            order = float(args[0] if args else kwargs.get("norm_type", 2.0)) if name == "clip_grad_norm_" else 0.0
            bounds = (float(bound),) if name == "clip_grad_norm_" else (-float(bound), float(bound))
            self._seen.append(self._clip("norm" if name == "clip_grad_norm_" else "value", bounds, order, [graded]))
            return hand_on(original, parameters if self._framework.is_tensor(parameters) else held, bound, *args, **kwargs)

        return clip


def _together(kind: str, sets: set[frozenset[str]]) -> tuple[frozenset[str], ...]:
    if kind == "value":
        return (frozenset().union(*sets),)
    return tuple(sorted(sets, key=sorted))


def clipped_otherwise(reference: tuple[Clip, ...], twin: tuple[Clip, ...]) -> Message | None:
    """What the two clip by, where it is not the same; by how it is called, whatever its arithmetic."""
    if set(reference) == set(twin):
        return None
    said = [together((clip.said() for clip in clips), ", ") if clips else say("by nothing that the framework offers")
            for clips in (reference, twin)]
    return say("gradients are clipped {left} in the reference, {right} in the twin", left=said[0], right=said[1])

"""What is done to gradients between backward and an optimizer's step: they are unscaled and clipped, by a function of the
framework, by a gradient scaler, or by the optimizer itself."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from parity.blame import hand_on
from parity.frameworks import Framework
from parity.frameworks.replacing import Attributes
from parity.messages import Message, say, together
from parity.trace.source import ConstructionSites, Site, SourceTree


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


class Treated(NamedTuple):
    """clips: those of an optimizer's parameters. unscaled: as the how manieth after them its gradients were unscaled; None: not at
    all. site: of the line that did the first of it."""

    clips: tuple[Clip, ...]
    unscaled: int | None = None
    site: Site | None = None


class Clipping:
    """Watches one step of one side. `found`: optimizer -> what was done to the gradients of its parameters before its update."""

    def __init__(self, framework: Framework, source: SourceTree, sites: ConstructionSites, names: Mapping[int, str]) -> None:
        self._framework, self._source, self._sites, self._names = framework, source, sites, names
        self._seen: list[tuple[Clip | None, frozenset[str], Site | None]] = []  # no clip: they are unscaled
        self.found: dict[str, Treated] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The framework's functions that clip, wherever the user's modules have them, and its scalers are seen for the duration of
        the block."""
        clips = self._framework.clips
        wrapped = {id(function): self._wrapped(name, function) for name in ("clip_grad_norm_", "clip_grad_value_")
                   if (function := getattr(clips, name, None)) is not None}
        unscaling, method = Attributes(), self._framework.unscale_method
        for kind in self._framework.scaler_class.__mro__:
            if method in vars(kind):
                unscaling.put(kind, method, self._unscaling(vars(kind)[method]))
        undo = []
        for owner in (clips, *self._source.modules()):
            for name, value in list(vars(owner).items()):
                if id(value) in wrapped:
                    undo.append((owner, name, value))
                    setattr(owner, name, wrapped[id(value)])
        try:
            yield
        finally:
            unscaling.restore()
            for owner, name, value in undo:
                setattr(owner, name, value)

    def settle(self, optimizer: str, held: Any) -> None:
        """An update begins."""
        own = self._own(held)
        seen = [one for one in self._seen if one[1] & own]
        self._seen = [one for one in self._seen if not one[1] & own]
        for found in self._framework.clips_of(held):
            clip = self._clip(*found)
            seen.append((clip, frozenset().union(*clip.sets), self._sites.of(held)))
        joined: dict[tuple, set[frozenset[str]]] = {}
        for clip, _, _ in seen:
            if clip is not None and any(names & own for names in clip.sets):
                joined.setdefault((clip.kind, clip.bound, clip.order), set()).update(clip.sets)
        unscaled = next((number for number, (clip, _, _) in enumerate(seen) if clip is None), None)
        self.found[optimizer] = Treated(tuple(Clip(*key, _together(key[0], sets)) for key, sets in joined.items()), unscaled,
                                        seen[0][2] if seen else None)

    def _own(self, held: Any) -> frozenset[str]:
        return frozenset(self._names[id(one)] for one in self._framework.optimizer_parameters(held) if id(one) in self._names)

    def _unscaling(self, original: Callable) -> Callable:
        @functools.wraps(original)
        def unscale(scaler: Any, optimizer: Any) -> Any:
            result = hand_on(original, scaler, optimizer)
            if self._framework.scaler_state(scaler):
                self._seen.append((None, self._own(optimizer), self._source.site(sys._getframe(1))))
            return result

        return unscale

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
            found = self._clip("norm" if name == "clip_grad_norm_" else "value", bounds, order, [graded])
            self._seen.append((found, frozenset().union(*found.sets), self._source.site(sys._getframe(1))))
            return hand_on(original, parameters if self._framework.is_tensor(parameters) else held, bound, *args, **kwargs)

        return clip


def _together(kind: str, sets: set[frozenset[str]]) -> tuple[frozenset[str], ...]:
    if kind == "value":
        return (frozenset().union(*sets),)
    return tuple(sorted(sets, key=sorted))


def treated_otherwise(reference: Treated, twin: Treated) -> Message | None:
    """What the two clip by, and whether they unscale before it, where it is not the same; by how it is called, whatever its
    arithmetic."""
    if set(reference.clips) != set(twin.clips):
        said = [together((clip.said() for clip in one.clips), ", ") if one.clips else say("by nothing that the framework offers")
                for one in (reference, twin)]
        return say("gradients are clipped {left} in the reference, {right} in the twin", left=said[0], right=said[1])
    if (reference.unscaled is None) != (twin.unscaled is None):
        return say("a scaler unscales the gradients before the update in the reference, in the twin none does") \
            if twin.unscaled is None else say(
                "a scaler unscales the gradients before the update in the twin, in the reference none does")
    if reference.clips and bool(reference.unscaled) != bool(twin.unscaled):
        return say("gradients are unscaled and then clipped in the reference, clipped and then unscaled in the twin") \
            if twin.unscaled else say(
                "gradients are clipped and then unscaled in the reference, unscaled and then clipped in the twin")
    return None

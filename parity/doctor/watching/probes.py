"""Dependence probes: which rows and positions of what a network gives react to which of what it is given.

After the first iteration that trains a network, its forward is run a few times more, in eval mode, each time with one row (or one
position) of its input replaced by another of the same input. The network's state, the random generators and what is printed are
afterwards as they were.
"""

from __future__ import annotations

import functools
import inspect
import io
import random
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from parity.doctor.places import slicing_site
from parity.doctor.record import Iteration, Reaction
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.unreached import Unreached, leaves_graph
from parity.frameworks import Framework
from parity.trace.source import Site, class_text, code_of

LARGE = 20_000_000  # elements of weights, or of what is kept of one run: more is not probed
HUBS = 2  # nodes of a graph that are replaced, of those with the most edges
FEWEST = 3  # rows: among fewer, a row and a feature are told apart by nothing
VISIBLE = 1e-5  # of an output's size: what a row really depends on moves it by more, rounding (1e-7) by less

_MIXING_LAYERS = re.compile(r"RNN|LSTM|GRU|Attention|Transformer")
_MIXING_LINES = re.compile(r"softmax|matmul|@|bmm|einsum|\.view\(|reshape|permute|transpose|\.[tT]\b|swapaxes|mean\(|sum\("
                           r"|normalize\(.*(?:dim|axis)\s*=\s*0\b|roll|flip|index_add|scatter|segment|spmm")
_AGGREGATES = re.compile(r"index_add|scatter|segment|spmm|matmul|@|\bmm\(|einsum|send_u|propagate|aggregate")
_BY_INDEX = re.compile(r"scatter|index_add|segment|send_u")
_DETACHES = re.compile(r"\.detach\(|\.data\b|stop_gradient|no_grad")
_MASKS = re.compile(r"triu|tril|causal|subsequent")


@dataclass
class Call:
    """One call of a network, with copies of what it was given. again: it is its second. modes: of its modules, whether in training.

    targets: what losses were given since, where, and whether no other network had run in between.
    """

    path: str
    module: Any
    given: list
    site: Site | None
    again: bool = False
    modes: list[bool] = field(default_factory=list)
    targets: list[tuple[np.ndarray, Site | None, bool]] = field(default_factory=list)


@dataclass
class Value:
    """What a line of the user's bound, or a module gave (path)."""

    array: np.ndarray
    site: Site | None
    path: str = ""


class Probes:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._known: set[str] = set()
        self._again: set[str] = set()  # networks whose first call met no target: the loss was looked up before the watch began
        self._calls: list[Call] = []

    def note_call(self, path: str, module: Any, args: tuple, kwargs: dict) -> None:
        """A network is about to run."""
        framework = self._scene.framework
        if (path in self._known and path not in self._again) or not module.training or not framework.grad_enabled():
            return
        again = path in self._again
        self._again.discard(path)
        self._known.add(path)
        may_tell = _may_mix(module) or _may_leave(framework, module) or _may_detach(module)
        if not may_tell or not _can_be_run_again(framework, module, self._scene.program.source):
            return
        given = [list(args), dict(kwargs)]
        tensors = dict(framework.tensors_in(given))
        if tensors and sum(np.prod(framework.shape_dtype(tensor)[0]) for tensor in tensors.values()) < LARGE:
            copies = {place: framework.copied(tensor) for place, tensor in tensors.items()}
            self._calls.append(Call(path, module, framework.replace_tensors(given, copies), self._scene.site(), again,
                                    [part.training for _, part in framework.modules(module)]))

    def note_target(self, target: Any) -> None:
        """What a loss was given to hold predictions against."""
        if self._calls and self._scene.framework.is_tensor(target):
            array = self._scene.framework.values(target)
            if 1 < array.size < LARGE:
                own = self._scene.last_network == self._calls[-1].path
                self._calls[-1].targets.append((array.copy(), self._scene.site(), own))

    def end(self, iteration: Iteration) -> None:
        """The iteration is over; nothing is watched now."""
        calls, self._calls = self._calls, []
        for call in calls:
            # A forward that cannot be run in eval mode, or a second time, tells nothing.
            with suppress(Exception), undisturbed(self._scene.framework, call.module):
                iteration.reactions += _Probe(self._scene, call).reactions()
            if iteration.number == 1 and not call.targets:
                self._again.add(call.path)


def _may_mix(module: Any) -> bool:
    parts = module.modules() if hasattr(module, "modules") else module.sublayers(include_self=True)
    return any(_MIXING_LAYERS.search(kind.__name__) or _has_mixing_lines(kind) for kind in {type(part) for part in parts})


@functools.cache
def _detaches(kind: type) -> bool:
    return not kind.__module__.startswith(("torch.", "paddle.")) and bool(_DETACHES.search(class_text(kind)))


def _may_detach(module: Any) -> bool:
    parts = module.modules() if hasattr(module, "modules") else module.sublayers(include_self=True)
    return any(map(_detaches, {type(part) for part in parts}))


def _may_leave(framework: Framework, module: Any) -> bool:
    return any(map(leaves_graph, {type(part) for _, part in framework.modules(module)}))


@functools.cache
def _has_mixing_lines(kind: type) -> bool:
    if kind.__module__.startswith(("torch.", "paddle.")):
        return False
    with suppress(OSError, TypeError):
        return bool(_MIXING_LINES.search(inspect.getsource(kind)))
    return True


def _can_be_run_again(framework: Framework, module: Any, source: Any) -> bool:
    """Whether nothing but the network itself is known to change by it: a hook of the user's may note what it sees."""
    size = sum(np.prod(framework.shape_dtype(p)[0]) for p in framework.parameters(module).values() if framework.has_data(p))
    hooks = [hook for _, part in framework.modules(module)
             for name in ("_forward_hooks", "_forward_pre_hooks", "_forward_post_hooks")
             for hook in (getattr(part, name, None) or {}).values()]
    return size < LARGE and not any(_code_file(hook) in source for hook in hooks)


def _code_file(hook: Any) -> str:
    function = getattr(hook, "func", hook)
    code = code_of(function) or code_of(vars(type(function)).get("__call__"))
    return code.co_filename if code is not None else "<unknown>"


@contextmanager
def undisturbed(framework: Framework, network: Any) -> Iterator[None]:
    """While active, the network is in eval mode; afterwards it, and the random generators, are as before."""
    generators = random.getstate(), np.random.get_state(), framework.random_state()
    modules = [part for _, part in framework.modules(network)]
    held = [(vars(part), dict(vars(part)), {key: _contents(value) for key, value in vars(part).items()}) for part in modules]
    tensors = [(tensor, framework.copied(tensor)) for tensor in
               {id(tensor): tensor for tensor in (*framework.buffers(network).values(), *framework.parameters(network).values())
                if framework.has_data(tensor)}.values()]
    try:
        for part in modules:
            vars(part)["training"] = False
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        random.setstate(generators[0])
        np.random.set_state(generators[1])
        framework.set_random_state(generators[2])
        for attributes, before, contents in held:
            for key in attributes.keys() - before.keys():
                del attributes[key]
            attributes.update(before)
            for key, kept in contents.items():
                _put_back(before[key], kept)
        for tensor, values in tensors:
            if not np.array_equal(framework.values(tensor), framework.values(values), equal_nan=True):
                framework.overwrite(tensor, values)


def _contents(value: Any) -> Any:
    return value.copy() if isinstance(value, (dict, list, set, deque)) else None


def _put_back(value: Any, kept: Any) -> None:
    if kept is None or (len(kept) == len(value) and all(map(lambda one, other: one is other, *map(_flat, (kept, value))))):
        return
    value.clear()
    (value.extend if isinstance(value, (list, deque)) else value.update)(kept)


def _flat(value: Any) -> list:
    return [*value, *value.values()] if isinstance(value, dict) else list(value)


class _Probe:
    """One network, and what it was called with."""

    def __init__(self, scene: Scene, call: Call) -> None:
        self._scene, self._call, self._framework = scene, call, scene.framework
        self._given = {place: self._framework.values(tensor) for place, tensor in self._framework.tensors_in(call.given)}
        self._first = next(place for place, array in self._given.items() if array.ndim)  # what it is mainly about, by custom
        self._seeds = random.getstate(), np.random.get_state(), self._framework.random_state()
        self._base = self._run({})[0]
        again = self._run({})[0]
        self._steady = all(np.array_equal(one, other) for one, other in zip(self._base, again, strict=True))

    def reactions(self) -> Iterator[Reaction]:
        if self._steady and all(np.isfinite(array).all() for array in self._base):  # else it moves a state of its own (MoCo)
            yield from () if self._call.again else self._rows()
            yield from () if self._call.again else self._unheard()
            yield from self._positions()
        if self._steady and not self._call.again and _may_leave(self._framework, self._call.module):
            parts = [part for _, part in self._framework.modules(self._call.module)]
            for part, training in zip(parts, self._call.modes, strict=True):
                vars(part)["training"] = training  # in eval mode it may draw nothing, and leave nothing
            yield from Unreached(self._scene, self._call.path, self._call.module, self._tensors, self._steps).reactions()

    def _run(self, replaced: Mapping[str, np.ndarray], follow: bool = False) -> tuple[list[np.ndarray], list[Value]]:
        """What it gives, with these of its inputs replaced; follow: and what its lines and layers do on the way."""
        args, kwargs = self._inputs(replaced)
        if not follow:
            return self._arrays(self._call.module(*args, **kwargs)), []
        with _Followed(self._scene, self._call.module) as followed:
            outputs = self._arrays(self._call.module(*args, **kwargs))
        return outputs, followed.values

    def _inputs(self, replaced: Mapping[str, np.ndarray]) -> Any:
        """(args, kwargs) for a run that begins with the random numbers of the first."""
        framework, call = self._framework, self._call
        random.setstate(self._seeds[0])
        np.random.set_state(self._seeds[1])
        framework.set_random_state(self._seeds[2])
        tensors = {}
        for place, tensor in framework.tensors_in(call.given):
            tensors[place] = framework.copied(tensor)
            if place in replaced:
                framework.overwrite(tensors[place], framework.tensor(np.ascontiguousarray(replaced[place])))
        return framework.replace_tensors(call.given, tensors)

    def _arrays(self, result: Any) -> list[np.ndarray]:
        return [self._framework.values(tensor).copy() for tensor in self._tensors_of(result)]

    def _tensors_of(self, result: Any) -> list[Any]:
        return [result] if self._framework.is_tensor(result) else [tensor for _, tensor in self._framework.tensors_in(result)]

    def _tensors(self) -> list[Any]:
        args, kwargs = self._inputs({})
        return self._tensors_of(self._call.module(*args, **kwargs))

    def _steps(self) -> list[Value]:
        return self._run({}, follow=True)[1]

    def _changed(self, replaced: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        outputs, _ = self._run(replaced)
        return [_differs(one, other) for one, other in zip(self._base, outputs, strict=True)]

    def _place(self, replaced: Mapping[str, np.ndarray], count: int, slots: Sequence[int]) -> Value | None:
        """The first line or layer whose result reacts outside of these slots."""
        (_, one), (_, other) = self._run({}, follow=True), self._run(replaced, follow=True)
        for before, after in zip(one, other, strict=False):
            if before.array.shape != after.array.shape or (before.site, before.path) != (after.site, after.path):
                return None
            if outside(_differs(before.array, after.array), count, slots):
                return after
        return None

    # --- rows ---------------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Reaction]:
        """Does what it gives for one example depend on others? Not where it falls apart along one of the first two axes."""
        shape = self._given[self._first].shape
        if shape[0] >= FEWEST and self._is_graph(shape[0]):
            yield from self._neighbours(shape[0])
        if shape[0] < FEWEST or self._is_graph(shape[0]):
            return
        mixed = self._mixed_along(0)
        if mixed is None:
            yield from self._by_place()
            yield from self._mixed_within()
        if mixed is None or (len(shape) > 1 and shape[1] > 1 and self._mixed_along(1) is None and self._has_slots(shape[1])):
            return
        replaced, slot = mixed
        place = self._place(replaced, shape[0], [slot])
        if place is None or self._is_sent(place):
            return
        module = self._scene.program.modules.get(place.path)
        recurrent = module is not None and bool(_MIXING_LAYERS.search(type(module).__name__))
        if len(shape) == 1 or (recurrent and _batch_of(module, place.array.shape) == 1):
            return  # a single sequence
        site = self._scene.program.site_of(place.path) if place.path else place.site
        yield Reaction("rows", self._call.path, site or place.site or self._call.site, shape[0],
                       layer=place.path if recurrent else "", shape=tuple(shape))

    def _is_sent(self, place: Value) -> bool:
        """Whether a line brings rows together by indices that the network is given: along the edges of a graph."""
        indices = any(array.dtype.kind == "i" for key, array in self._given.items() if key != self._first)
        return indices and place.site is not None and bool(_BY_INDEX.search(place.site.text))

    def _by_place(self) -> Iterator[Reaction]:
        """Does what it gives for an example depend on the example's place in the batch? All rows are moved on by one."""
        count = self._given[self._first].shape[0]
        elsewhere = any(array.shape[:1] != (count,) and any(length and length % count == 0 for length in array.shape)
                        for array in self._given.values())  # rows that lie along another axis, as in a recurrence's state
        if elsewhere or not self._has_slots(count) or len(self._given[self._first].shape) < 2 or self._draws():
            return
        moved = {place: np.roll(array, 1, 0) if array.shape[:1] == (count,) else array for place, array in self._given.items()}
        (outputs, one), (others, other) = self._run({}, follow=True), self._run(moved, follow=True)
        rows = [(before, after) for before, after in zip(outputs, others, strict=True) if before.shape[:1] == (count,)]
        if not rows or not any(_stayed(before, after) for before, after in rows):
            return
        for before, after in zip(one, other, strict=False):
            if before.array.shape[:1] == (count,) and _stayed(before.array, after.array):
                yield Reaction("place", self._call.path, after.site or self._call.site, count,
                               shape=tuple(self._given[self._first].shape))
                return

    def _draws(self) -> bool:
        """Whether what it gives depends on random numbers."""
        outputs = []
        for seed in (1, 2):
            args, kwargs = self._inputs({})
            random.seed(seed)
            np.random.seed(seed)
            with self._framework.seeded(seed):
                outputs.append(self._arrays(self._call.module(*args, **kwargs)))
        return not all(map(np.array_equal, *outputs))

    def _mixed_within(self) -> Iterator[Reaction]:
        """A recurrence or an attention that runs over the rows, where what is given out of it does not show it."""
        count = self._given[self._first].shape[0]
        for slot in (0, count - 1):
            replaced = self._replaced(0, slot, self._given)
            place = self._place(replaced, count, [slot]) if replaced else None
            module = self._scene.program.modules.get(place.path) if place is not None else None
            if (module is not None and _MIXING_LAYERS.search(type(module).__name__) and place.array.shape[:1] == (count,)
                    and any(array.shape[:1] == (count,) for array in self._base) and _batch_of(module, place.array.shape) > 1):
                yield Reaction("rows", self._call.path, self._scene.program.site_of(place.path) or place.site, count,
                               layer=place.path, shape=tuple(self._given[self._first].shape))
                return

    def _unheard(self) -> Iterator[Reaction]:
        """Of a sequence: does what it gives depend on all positions, and a gradient goes back to the last of them alone?"""
        framework, given = self._framework, self._given[self._first]
        if given.ndim != 3 or given.dtype.kind != "f" or given.shape[1] <= FEWEST or not _may_detach(self._call.module):
            return
        leaf = framework.tensor(given.copy(), requires_grad=True)
        self._inputs({})
        args, kwargs = framework.replace_tensors(self._call.given, {
            place: leaf if place == self._first else framework.copied(tensor)
            for place, tensor in framework.tensors_in(self._call.given)})
        output = self._tensors_of(self._call.module(*args, **kwargs))[0]
        slope = framework.slope(output, leaf) if framework.requires_grad(output) else None
        heard = framework.values(slope).any((0, 2)) if slope is not None else np.zeros(given.shape[1], bool)
        replaced = self._replaced(1, 0, {self._first: given})
        if heard[-1] and not heard[:-1].any() and replaced and self._changed(replaced)[0].any():
            _, values = self._run({}, follow=True)
            site = next((value.site for value in values if value.site and _DETACHES.search(value.site.text)), None)
            yield Reaction("unheard", self._call.path, site or self._call.site, given.shape[1])

    def _is_graph(self, count: int) -> bool:
        """Whether it is told how its rows hang together: by a square matrix, or by the two ends of each edge."""
        others = [array for place, array in self._given.items() if place != self._first]
        square = self._given[self._first].shape == (count, count) and any(array.shape[:1] == (count,) for array in others)
        return square or any(array.shape[-2:] == (count, count) or (
            array.ndim == 2 and 2 in array.shape and array.dtype.kind == "i") for array in others)

    def _neighbours(self, count: int) -> Iterator[Reaction]:
        """Of a graph: does a node react to any other, where those are replaced that have the most edges?"""
        features = {place: array for place, array in self._given.items()
                    if array.dtype.kind == "f" and array.ndim > 1 and array.shape[0] == count and array.shape[1] != count}
        edges = next((ends for array in self._given.values() if (ends := _edges(array, count)) is not None), None)
        if not features or edges is None:
            return
        for one, other in (edges, edges[::-1]):  # whichever end sends
            degrees = np.bincount(one[one != other], minlength=count)
            for node in np.argsort(degrees)[-HUBS:].tolist():
                rows = {place: array.copy() for place, array in features.items()}
                for array in rows.values():
                    array[node] = array[node - 1] + 1
                changed = self._changed(rows)
                if not degrees[node] or not any(one.any() for one in changed) or any(
                        _has_slots(one.shape, count) and outside(one, count, [node]) for one in changed):
                    return
        _, values = self._run({}, follow=True)
        site = next((value.site for value in values if value.site and _AGGREGATES.search(value.site.text)), None)
        yield Reaction("alone", self._call.path, site or self._call.site, count)

    def _has_slots(self, count: int) -> bool:
        return any(_has_slots(array.shape, count) for array in self._base)

    def _mixed_along(self, axis: int) -> tuple[Mapping[str, np.ndarray], int] | None:
        """A replaced slice of that axis at which others react too, and its number."""
        count = self._given[self._first].shape[axis]
        for slot in (0, count - 1):
            replaced = self._replaced(axis, slot, self._given)
            if replaced and any(_has_slots(changed.shape, count) and outside(changed, count, [slot])
                                for changed in self._changed(replaced)):
                return replaced, slot
        return None

    def _replaced(self, axis: int, slot: int, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """These inputs, that slice of each replaced by another of its slices that is not the same in the first of them."""
        count = self._given[self._first].shape[axis]
        first = np.moveaxis(self._given[self._first], axis, 0)
        others = [number % count for number in range(slot + 1, slot + count)]
        donor = next((number for number in others if not np.array_equal(first[number], first[slot])), None)
        if donor is None:
            return {}
        replaced = {}
        for place, array in given.items():
            if array.ndim > axis and array.shape[axis] == count:
                replaced[place] = array.copy()
                np.moveaxis(replaced[place], axis, 0)[slot] = np.moveaxis(array, axis, 0)[donor]
        return replaced

    # --- positions ----------------------------------------------------------------------------------------

    def _positions(self) -> Iterator[Reaction]:
        """Where the targets are the inputs, at other positions: does each output see what it has to give, or must not see?"""
        matches = []
        for place, given in self._given.items():
            for target, site, own in self._call.targets if given.ndim > 1 and min(given.shape[:2]) > 0 else ():
                for axis in (1, 0):
                    if given.shape[axis] <= FEWEST:
                        continue
                    sources = _sources(np.moveaxis(given, axis, 0), target, given.shape, axis)
                    if sources is not None:
                        shifts = {source - number for number, source in enumerate(sources)}
                        matches.append((len(shifts), place, sources, axis, site, own))
        if matches:  # a decoder's own input before what its encoder is given, which may hold the same in another order
            _, self._first, sources, axis, site, own = min(matches, key=lambda match: match[0])
            yield from self._held_against(sources, axis, site, own)

    def _held_against(self, sources: list[int], axis: int, site: Site | None, own: bool) -> Iterator[Reaction]:
        """sources: output position -> position of the input that is its target. own: what the loss was given is this network's, not
        that of one which goes on from it (a decoder)."""
        count, only = self._given[self._first].shape[axis], {self._first: self._given[self._first]}
        shifts = {source - position for position, source in enumerate(sources)}
        if shifts == {1}:
            slot = count // 2
            reacting = self._reacting(only, axis, slot)
            if reacting is not None and slot - 1 in reacting:
                place = self._place(self._replaced(axis, slot, only), count, range(slot, count))
                kind = type(self._scene.program.modules.get(place.path)).__name__ if place else ""
                backwards = re.search(r"RNN|LSTM|GRU", kind)
                at = place and (self._scene.program.site_of(place.path) if backwards else place.site)
                yield Reaction("ahead", self._call.path, at or self._call.site, count, position=slot - 1, source=slot)
        elif shifts == {0}:
            slot = count // 2
            reacting = self._reacting(only, axis, slot)
            tokens = self._given[self._first].dtype.kind == "i"
            if tokens and reacting is not None and slot in reacting and len(reacting) > 1 and min(reacting) == slot:
                yield Reaction("unshifted", self._call.path, slicing_site(site, 1) or site, count, position=slot, source=slot)
        elif len(shifts) > 1 and own:
            position = max(range(len(sources)), key=lambda number: sources[number] - number)
            source = sources[position]
            reacting = self._reacting(only, axis, source)
            if source > position and reacting and position not in reacting:
                yield Reaction("unseen", self._call.path, self._mask() or self._call.site, count, position=position, source=source)

    def _reacting(self, only: Mapping[str, np.ndarray], axis: int, slot: int) -> set[int] | None:
        """Positions of the output that react to that position of the input; None where it has no such axis."""
        replaced = self._replaced(axis, slot, only)
        leading = self._given[self._first].shape[:2]
        for changed in self._changed(replaced) if replaced else ():
            whole = changed if changed.shape[:2] == leading else None
            if whole is None and changed.ndim and changed.shape[0] == leading[0] * leading[1]:
                whole = changed.reshape(*leading, -1)
            if whole is not None:
                by_position = np.moveaxis(whole, axis, 0).reshape(leading[axis], -1).any(1)
                return set(np.nonzero(by_position)[0].tolist())
        return None

    def _mask(self) -> Site | None:
        """The line of the forward that makes a causal mask."""
        _, values = self._run({}, follow=True)
        return next((value.site for value in values if value.site and _MASKS.search(value.site.text)), None)


def _sources(given: np.ndarray, target: np.ndarray, shape: tuple[int, ...], axis: int) -> list[int] | None:
    """Where the input (positions first) holds the target of each output position: all of them by an exact copy, or None.

    Targets below 0 are none (`ignore_index`). Of a target that leaves out the first position, the outputs leave out the last.
    """
    count = len(given)
    if given.dtype.kind not in "if" or target.dtype.kind not in "if" or len({row.tobytes() for row in given}) < count:
        return None  # positions that are the same cannot be told apart
    if target.size == given.size:
        wanted = np.moveaxis(target.reshape(shape), axis, 0)
    elif target.size == given[1:].size:
        cut = tuple(length - (number == axis) for number, length in enumerate(shape))
        wanted = np.moveaxis(target.reshape(cut), axis, 0)
    else:
        return None
    integers = given.dtype.kind == "i"

    def same(one: np.ndarray, other: np.ndarray) -> bool:
        told = one >= 0 if integers else np.ones(one.shape, bool)
        return bool(2 * told.sum() >= told.size and (one == other)[told].all())

    for shift in (1, 0):
        length = min(len(wanted), count - shift)
        if all(same(wanted[number], given[number + shift]) for number in range(length)):
            return [number + shift for number in range(length)]
    if len(wanted) < count:
        return None
    found = [[source for source in range(count) if same(one, given[source])] for one in wanted]
    if all(len(one) == 1 for one in found) and len({one[0] for one in found}) == count:
        return [one[0] for one in found]
    return None


def _edges(array: np.ndarray, count: int) -> np.ndarray | None:
    """[2, edges], of an array that says how so many rows hang together, by the ends of the edges or by a square matrix."""
    if array.shape == (count, count):
        return np.stack(np.nonzero(array))
    if array.ndim == 2 and 2 in array.shape and array.dtype.kind == "i" and array.size and 0 <= array.min() <= array.max() < count:
        return array if array.shape[0] == 2 else array.T
    return None


def _batch_of(layer: Any, shape: tuple[int, ...]) -> int:
    """The number of sequences that a recurrence or an attention has given a result of this shape for."""
    batch_first = getattr(layer, "batch_first", not getattr(layer, "time_major", False))
    return 1 if len(shape) < 3 else shape[0 if batch_first else 1]


def _differs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two results differ by more than rounding."""
    if one.shape != other.shape:
        return np.ones(one.shape, bool)
    if one.dtype.kind not in "fc":
        return one != other
    with np.errstate(all="ignore"):
        finite = np.isfinite(one) & np.isfinite(other)
        size = float(np.abs(one[finite]).max()) if finite.any() else 0.0
        return np.where(finite, np.abs(one - other) > VISIBLE * size, (one != other) & ~(np.isnan(one) & np.isnan(other)))


def _stayed(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a result has not moved on by one as its input has, along its first axis (or, of all rows to all, along both)."""
    both = [axis for axis, length in enumerate(before.shape) if length == len(before)]
    return all(_differs(np.roll(before, [1] * len(axes), axes), after).any() for axes in ([0], both))


def _has_slots(shape: tuple[int, ...], count: int) -> bool:
    """Whether a result of this shape has a part for each of so many rows."""
    return count in shape or bool(shape and shape[0] and shape[0] % count == 0)


def outside(changed: np.ndarray, count: int, slots: Sequence[int]) -> bool:
    """Whether there are changes beyond these of `count` slots, however the axes lie. An axis that two were folded into has, for
    each slot, a block of its elements, or one in each block."""
    if not changed.any():
        return False
    rests = []
    for in_blocks in (True, False):
        rest, any_axis = changed.copy(), False
        for axis, length in enumerate(changed.shape):
            if length and length % count == 0:
                numbers = np.arange(length) // (length // count) if in_blocks else np.arange(length) % count
                rest[(slice(None),) * axis + (np.isin(numbers, slots),)] = False
                any_axis = True
        rests.append(any_axis and rest.any())
    return all(rests)


class _Followed:
    """While active, what the user's lines bind and return inside the network, and what its modules give, is written down."""

    def __init__(self, scene: Scene, network: Any) -> None:
        self._scene, self._framework = scene, scene.framework
        self.values: list[Value] = []
        self._room = LARGE

    def __enter__(self) -> _Followed:
        kind = self._framework.module_class
        self._trace, self._call = sys.gettrace(), kind.__call__
        kind.__call__ = self._calling(self._call)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *error: Any) -> None:
        sys.settrace(self._trace)
        self._framework.module_class.__call__ = self._call

    def _calling(self, original: Callable) -> Callable:
        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(module, *args, **kwargs)
            path = self._scene.program.paths.get(id(module), "")
            if path and type(module).__module__.startswith(("torch.", "paddle.")):
                first = result if self._framework.is_tensor(result) else next(
                    (tensor for _, tensor in self._framework.tensors_in(result)), None)
                self._note(first, self._scene.site(), path)
            return result
        return call

    def _note(self, tensor: Any, site: Site | None, path: str = "") -> None:
        if self._framework.is_tensor(tensor):
            array = self._framework.values(tensor)
            self._room -= array.size
            if self._room > 0:
                self.values.append(Value(array.copy(), site, path))

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in self._scene.program.source or (code.co_name.startswith("<") and code.co_name != "<lambda>"):
            return None
        seen, line = {name: id(value) for name, value in frame.f_locals.items()}, [frame.f_lineno]

        def follow(frame: FrameType, event: str, arg: Any) -> Any:
            site = Site(code.co_filename, line[0])
            for name, value in frame.f_locals.items():
                if seen.get(name) != id(value):
                    seen[name] = id(value)
                    self._note(value, site)
            if event == "return":
                self._note(arg, site)
            line[0] = frame.f_lineno
            return follow

        return follow

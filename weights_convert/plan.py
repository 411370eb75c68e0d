"""The plan of a conversion: every tensor of two paired networks by name, with its rule; strict both ways."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from .absent import Absent, framework
from .dtypes import kind, named
from .errors import LayoutError, StateError, listed
from .layouts import DEFAULT, IDENTITY, LayoutTable

paddle, torch = framework("paddle"), framework("torch")

_PADDLE_NORMS = (framework("paddle.nn.utils.spectral_norm_hook").SpectralNorm,
                 framework("paddle.nn.utils.weight_norm_hook").WeightNorm)
_TORCH_NORMS = (framework("torch.nn.utils.spectral_norm").SpectralNorm, framework("torch.nn.utils.weight_norm").WeightNorm)

Shape = tuple[int, ...]
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Entry:
    """One tensor, or a piece of it: its name and shape on both sides; no target where the rule is `drop`.

    `dtype` is the torch module's, by name. A state may hold another precision, not another kind of number.
    `rows`: where the piece lies in `source`, along its `axis`, where it is split over several targets.
    """

    source: str
    target: str | None
    source_shape: Shape
    target_shape: Shape | None
    dtype: str
    rule: str
    rows: tuple[int, int] | None = None
    axis: int = 0

    @property
    def whole(self) -> int:
        """The length of `source` along the axis that is split."""
        return self.source_shape[self.axis]

    def piece(self, array: np.ndarray) -> np.ndarray:
        """Of an array in torch's layout, what this entry is about: a view of it."""
        return array[(slice(None),) * self.axis + (slice(*self.rows),)] if self.rows else array

    def to_paddle(self, array: np.ndarray) -> np.ndarray:
        """The array in Paddle's layout: a view of it."""
        array = self.piece(array)
        if self.rule == "flatten":
            return array.reshape(-1)
        if self.rule == "row":
            return array[None]
        if self.rule == "reshape":
            return array.reshape(self.target_shape)
        if self.rule == "matrix":
            return array.reshape(array.shape[:2]).T
        return array.T if self.rule == "transpose" else array

    def to_torch(self, array: np.ndarray) -> np.ndarray:
        """The array in torch's layout: a view of it. Where it is one of several pieces: that piece."""
        if self.rule in ("flatten", "reshape"):
            return array.reshape(self.source_shape)
        if self.rule == "row":
            return array[0]
        if self.rule == "matrix":
            return array.T.reshape(self.source_shape)
        return array.T if self.rule == "transpose" else array


@dataclass(frozen=True)
class Plan:
    """`entries`: torch name -> Entry, in torch's order; of a tensor that is split, `name[start:stop]` -> Entry.

    `derived`: Paddle tensors that are computed from others (the `weight` that a spectral norm keeps beside
    `weight_orig`) or are others' second names (an LSTM's cells): not written, ignored where a state holds them.
    `remarks`: what was guessed when the plan was made, a sentence each. `left_out`: names that are not carried over
    because somebody said so.
    """

    entries: Mapping[str, Entry]
    derived: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()

    @property
    def carried(self) -> frozenset[str]:
        """The torch names of what has a place in Paddle."""
        return frozenset(entry.source for entry in self.entries.values() if entry.target is not None)

    def without(self, leaves_out: Callable[[str], bool]) -> "Plan":
        """The plan of the rest. leaves_out: asked of each tensor's name on either side."""
        gone = {name: entry for name, entry in self.entries.items()
                if leaves_out(entry.source) or (entry.target is not None and leaves_out(entry.target))}
        if not gone:
            return self
        return replace(self, entries=MappingProxyType({name: entry for name, entry in self.entries.items() if name not in gone}),
                       derived=self.derived | {entry.target for entry in gone.values() if entry.target is not None},
                       left_out=self.left_out | {entry.source for entry in gone.values()})

    def to_paddle(
        self, state: Mapping[str, np.ndarray], progress: Progress | None = None
    ) -> dict[str, np.ndarray]:
        """A torch state (name -> array) as a Paddle state, bit for bit.

        Args:
            state: every source name of the plan, nothing else; arrays of the planned shape and kind, any
                precision.
            progress: called with (source name, bytes) for each tensor.
        Returns:
            target name -> C-contiguous array; shares memory with `state` where nothing had to move.
        Raises:
            StateError: a missing, extra or misshapen tensor, a wrong kind of dtype, not an array. Names all
                of them.
        """
        return {
            target: np.asarray(array, order="C") for target, array in self.iter_to_paddle(state, progress)
        }

    def to_torch(
        self, state: Mapping[str, np.ndarray], progress: Progress | None = None
    ) -> dict[str, np.ndarray]:
        """The inverse of `to_paddle`: same arguments with the names exchanged, same errors.

        What Paddle does not have (`num_batches_tracked`) is zeros.
        """
        return {source: np.asarray(array, order="C") for source, array in self.iter_to_torch(state, progress)}

    def iter_to_paddle(
        self, state: Mapping[str, np.ndarray], progress: Progress | None = None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """As `to_paddle`, one tensor at a time, as views, uncopied; all checks come before the first."""
        self.check_torch(state)
        for entry in self.entries.values():
            array = state[entry.source]
            if entry.target is not None:
                yield entry.target, (array := entry.to_paddle(array))
            if progress:
                progress(entry.source, array.nbytes)

    def iter_to_torch(
        self, state: Mapping[str, np.ndarray], progress: Progress | None = None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """As `to_torch`, one tensor at a time, as views, uncopied; all checks come before the first."""
        self.check_paddle(state)
        parts: dict[str, list[np.ndarray]] = {}
        for entry in self.entries.values():
            lacking = entry.target is None
            array = np.zeros(entry.source_shape, named(entry.dtype)) if lacking else entry.to_torch(state[entry.target])
            if entry.rows:
                parts.setdefault(entry.source, []).append(array)
                if entry.rows[1] < entry.whole:
                    continue
                array = np.concatenate(parts.pop(entry.source), entry.axis)
            yield entry.source, array
            if progress:
                progress(entry.source, array.nbytes)

    def check_torch(self, state: Mapping[str, np.ndarray]) -> None:
        """Raises StateError unless `state` is exactly what the torch side of the plan holds."""
        _check("torch", state, {e.source: (e.source_shape, e.dtype) for e in self.entries.values()})

    def check_paddle(self, state: Mapping[str, np.ndarray]) -> None:
        """Raises StateError unless `state` is what the Paddle side holds, derived tensors aside."""
        expected = {
            e.target: (e.target_shape, e.dtype) for e in self.entries.values() if e.target is not None
        }
        _check("Paddle", state, expected, self.derived)


@dataclass(frozen=True)
class Problem:
    """One tensor that keeps two networks from being paired: its full name, and what is wrong with it: a pattern and its values,
    for whoever wants to say it in another language."""

    name: str
    pattern: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def message(self) -> str:
        return self.pattern.format(**self.values)

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


def plan(torch_module: torch.nn.Module, paddle_layer: paddle.nn.Layer, table: LayoutTable = DEFAULT) -> Plan:
    """Pairs two networks path by path and says how each tensor of the one becomes a tensor of the other.

    Args:
        torch_module: only names, types, shapes and dtypes are read; it may live on the meta device.
        paddle_layer: the twin, with the same paths.
        table: the rules by layer type.
    Raises:
        LayoutError: names every layer type without a rule, every tensor on one side only, every pair of
            shapes, kinds of dtype or spectral-norm dimensions that disagree.
    """
    return settled(*pair_up(torch_module, paddle_layer, table))


def settled(paired: Plan, problems: Sequence[Problem]) -> Plan:
    """The plan, if nothing is left open. Raises LayoutError."""
    if problems:
        raise LayoutError(
            f"the torch and the Paddle network cannot be paired: {listed(list(map(str, problems)))}"
        )
    return paired


def pair_up(
    torch_module: torch.nn.Module, paddle_layer: paddle.nn.Layer, table: LayoutTable = DEFAULT
) -> tuple[Plan, list[Problem]]:
    """As `plan`, for a census: hands back what does not fit instead of raising; the plan covers the rest."""
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    layers = list(_paired(torch_module, paddle_layer))
    targets = {path + name: tensor for path, _, layer in layers for name, tensor in _paddle_tensors(layer).items()}
    claimed: set[str] = set()
    broken: set[str] = set()  # paths whose torch side has no rule: what Paddle has there is no news
    for path, torch_layer, layer in layers:
        sources = _torch_tensors(torch_layer)
        if torch_layer is not None and layer is None:
            problems += [Problem(path + n, "in torch only, Paddle has no layer {layer}", {"layer": path[:-1]}) for n in sources]
        if torch_layer is None or layer is None:
            continue
        found, wrong = _entries(path, torch_layer, layer, sources, table)
        problems += wrong or _norm_problems(path, torch_layer, layer, table)
        broken |= {path} if wrong else set()
        for entry in found:
            claimed |= {entry.target} if entry.target else set()
            misfit = _target_problems(entry, entry.target and targets.get(entry.target))
            problems += misfit
            if not misfit:
                rows = "[{}:{}]".format(*entry.rows) if entry.rows else ""
                entries[entry.source + rows] = entry
    second = {id(targets[name]) for name in claimed & targets.keys()}
    derived = {name for name, tensor in targets.items()
               if name not in claimed and (f"{name}_orig" in targets or f"{name}_g" in targets or id(tensor) in second)}
    ours = {path: torch_layer for path, torch_layer, _ in layers}
    for name in (name for name in targets if name not in claimed and name not in derived):  # in the model's order
        path = name[: name.rfind(".") + 1]
        if path not in broken:
            owner = ours.get(path)
            problems.append(Problem(name, "in Paddle only, torch has no layer {layer}", {"layer": path[:-1]}) if owner is None else
                            Problem(name, "in Paddle only, torch's {kind} has no tensor for it", {"kind": type(owner).__name__}))
    return Plan(MappingProxyType(entries), frozenset(derived)), problems


def _paired(
    torch_layer: torch.nn.Module | None, layer: paddle.nn.Layer | None, path: str = ""
) -> Iterator[tuple[str, torch.nn.Module | None, paddle.nn.Layer | None]]:
    """Both trees by path, None where one side has no such layer. The frameworks' own walks leave out what
    occurs twice,
    although their state dicts hold it twice: hence `_modules` and `_sub_layers`."""
    yield path, torch_layer, layer
    left = dict(torch_layer._modules) if torch_layer is not None else {}
    if parametrized(torch_layer):
        del left["parametrizations"]  # their tensors count as the layer's own
    right = layer._sub_layers if layer is not None else {}
    for name in [*left, *(name for name in right if name not in left)]:
        yield from _paired(left.get(name), right.get(name), f"{path}{name}.")


def _torch_tensors(layer: torch.nn.Module | None) -> dict[str, torch.Tensor]:
    """What the layer itself, without its children, adds to the state dict."""
    if layer is None:
        return {}
    buffers = {n: b for n, b in layer._buffers.items() if n not in layer._non_persistent_buffers_set}
    found = {name: tensor for name, tensor in {**layer._parameters, **buffers}.items() if tensor is not None}
    return found | {name: tensor for name, (_, tensor) in parametrized(layer).items()}


def parametrized(layer: torch.nn.Module | None) -> dict[str, tuple[str, torch.Tensor]]:
    """What weights are made of by parametrizations: name in the state dict -> (what it counts as in the layer, tensor).

    Those of spectral and weight norms count as the old style calls them; what another kind makes a weight of counts as that weight.
    """
    found = {}
    modules = vars(layer).get("_modules") if layer is not None else None
    held = modules.get("parametrizations") if isinstance(modules, dict) else None  # a compiled module's is no dict, and has none
    for name, applied in held.items() if hasattr(held, "items") else ():
        path = f"parametrizations.{name}."
        kinds = [type(one).__name__ for one in applied]
        if kinds == ["_SpectralNorm"]:
            found[path + "original"] = f"{name}_orig", applied.original
            found |= {f"{path}0._{end}": (f"{name}_{end}", applied[0]._buffers[f"_{end}"]) for end in "uv"}
        elif kinds == ["_WeightNorm"]:
            found |= {f"{path}original{n}": (f"{name}_{end}", getattr(applied, f"original{n}")) for n, end in enumerate("gv")}
        else:
            own = {**applied._parameters, **applied._buffers}
            found |= {path + end: (name if end == "original" else f"{name}_{end}", tensor) for end, tensor in own.items()}
            found |= {path + end: (f"{name}_{end}", tensor) for end, tensor in applied.state_dict(keep_vars=True).items()
                      if end not in own}
    return found


def _paddle_tensors(layer: paddle.nn.Layer | None) -> dict[str, paddle.Tensor]:
    if layer is None:
        return {}
    buffers = {n: b for n, b in layer._buffers.items() if n not in layer._non_persistable_buffer_names_set}
    return {name: tensor for name, tensor in {**layer._parameters, **buffers}.items() if tensor is not None}


def _entries(path, torch_layer, layer, sources, table) -> tuple[list[Entry], list[Problem]]:
    """The entries of one pair of layers, and a problem for each tensor that no rule covers."""
    entries, problems = [], []
    old_style = {name: old for name, (old, _) in parametrized(torch_layer).items()}
    siblings = {old_style.get(name, name) for name in sources}
    held = _paddle_tensors(layer)
    for name, tensor in sources.items():
        known_as = old_style.get(name, name)
        rule = table.rule(type(torch_layer), type(layer), known_as, siblings)
        if rule is None:
            problems.append(Problem(path + name, "no layout rule for it in the layer pair (torch {torch}, Paddle {paddle}); "
                                    "register one", {"torch": type(torch_layer).__name__, "paddle": type(layer).__name__}))
            continue
        if not isinstance(torch, Absent) and torch.nn.parameter.is_lazy(tensor):
            problems.append(
                Problem(path + name, "a lazy parameter without a shape; run the torch network once before")
            )
            continue
        shape = tuple(tensor.shape)
        dtype = str(tensor.dtype).removeprefix("torch.")
        if rule.kind == "drop" and known_as in held:  # a layer of the user's own that keeps it all the same
            rule = IDENTITY
        if rule.kind == "drop":
            entries.append(Entry(path + name, None, shape, None, dtype, rule.kind))
            continue
        parts = rule.parts if rule.kind == "split" else (rule,)
        size, rest = divmod(shape[0], len(parts)) if shape else (0, 0)
        if rest:
            problems.append(Problem(path + name, "cannot be split into {parts} equal parts, its shape is {shape}",
                                    {"parts": len(parts), "shape": shape}))
            continue
        for number, part in enumerate(parts):
            rows = (number * size, (number + 1) * size) if len(parts) > 1 else None
            cut = (size, *shape[1:]) if rows else shape
            laid_out = {"transpose": cut[::-1], "flatten": (math.prod(cut),), "row": (1, *cut)}.get(part.kind, cut)
            target = path + (part.target or known_as)
            entries.append(Entry(path + name, target, shape, laid_out, dtype, part.kind, rows))
    return entries, problems


def _target_problems(entry: Entry, target: paddle.Tensor | None) -> list[Problem]:
    """What keeps `target` from taking what the rule makes of the torch tensor."""
    if entry.target is None:
        return []
    if target is None:
        return [Problem(entry.source, "in torch only, Paddle has no {name}", {"name": entry.target})]
    shape, dtype = tuple(int(n) for n in target.shape), str(target.dtype).removeprefix("paddle.")
    if shape != entry.target_shape:
        return [Problem(entry.source, "torch's {ours} by rule {rule} gives {expected}, Paddle's {name} is {found}",
                        {"ours": entry.source_shape, "rule": entry.rule, "expected": entry.target_shape, "name": entry.target,
                         "found": shape})]
    if kind(dtype) != kind(entry.dtype):
        return [Problem(entry.source, "torch holds {ours}, Paddle's {name} {theirs}",
                        {"ours": entry.dtype, "name": entry.target, "theirs": dtype})]
    return []


def _norm_problems(path: str, torch_layer: torch.nn.Module, layer: paddle.nn.Layer, table: LayoutTable) -> list[Problem]:
    """Over another dimension u, v and g mean something else, yet fit by shape where the weight is square."""
    problems = []
    ours = {h.name: h.dim for h in torch_layer._forward_pre_hooks.values() if isinstance(h, _TORCH_NORMS)}
    if parametrized(torch_layer):
        ours |= {name: applied[0].dim for name, applied in torch_layer.parametrizations.items()
                 if type(applied[0]).__name__ in ("_SpectralNorm", "_WeightNorm")}
    theirs = {h.name: h.dim for h in layer._forward_pre_hooks.values() if isinstance(h, _PADDLE_NORMS)}
    for name in ours.keys() & theirs.keys():
        rule = (table.rules(type(torch_layer), type(layer)) or {}).get(name)
        expected = ours[name]
        if rule and rule.kind == "transpose" and expected in (0, 1):
            expected = 1 - expected
        if theirs[name] != expected:
            problems.append(
                Problem(
                    path + name,
                    "torch's spectral or weight norm over dim {ours} is dim {expected} in Paddle's layout, found dim {found}",
                    {"ours": ours[name], "expected": expected, "found": theirs[name]},
                )
            )
    return problems


def _check(
    side: str, state: Mapping, expected: dict[str, tuple[Shape, str]], optional: frozenset = frozenset()
) -> None:
    problems = [f"missing {name} {shape}" for name, (shape, _) in expected.items() if name not in state]
    problems += [f"unexpected {name}" for name in state if name not in expected and name not in optional]
    for name, (shape, dtype) in expected.items():
        array = state.get(name)
        if array is None:
            continue
        if not isinstance(array, np.ndarray):
            problems.append(f"{name}: expected a numpy array, found {type(array).__name__}")
        elif array.shape != shape:
            problems.append(f"{name}: expected shape {shape}, found {array.shape}")
        elif kind(array.dtype.name) != kind(dtype):
            problems.append(f"{name}: expected a dtype like {dtype}, found {array.dtype}")
    if problems:
        raise StateError(
            f"this is not a {side} state of the planned network (wrong file or sizes?): {listed(problems)}"
        )

"""The plan of a conversion: every tensor of two paired networks by name, with its rule; strict both ways."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import paddle
import torch
from paddle.nn.utils.spectral_norm_hook import SpectralNorm as PaddleSpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm as TorchSpectralNorm

from .dtypes import kind
from .errors import LayoutError, StateError, listed
from .layouts import DEFAULT, LayoutTable

Shape = tuple[int, ...]
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Entry:
    """One tensor: its name and shape on both sides; no target where the rule is `drop`.

    `dtype` is the torch module's, by name. A state may hold another precision, not another kind of number.
    """

    source: str
    target: str | None
    source_shape: Shape
    target_shape: Shape | None
    dtype: str
    rule: str

    def to_paddle(self, array: np.ndarray) -> np.ndarray:
        """The array in Paddle's layout: a view of it."""
        return array.T if self.rule == "transpose" else array

    def to_torch(self, array: np.ndarray) -> np.ndarray:
        """The array in torch's layout: a view of it."""
        return array.T if self.rule == "transpose" else array


@dataclass(frozen=True)
class Plan:
    """`entries`: torch name -> Entry, in torch's order.

    `derived`: Paddle tensors that are computed from others (the `weight` that a spectral norm keeps beside
    `weight_orig`): not written, and ignored where a state holds them.
    """

    entries: Mapping[str, Entry]
    derived: frozenset[str] = frozenset()

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
        for name, entry in self.entries.items():
            if entry.target is not None:
                yield entry.target, entry.to_paddle(state[name])
            if progress:
                progress(name, state[name].nbytes)

    def iter_to_torch(
        self, state: Mapping[str, np.ndarray], progress: Progress | None = None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """As `to_torch`, one tensor at a time, as views, uncopied; all checks come before the first."""
        self.check_paddle(state)
        for name, entry in self.entries.items():
            lacking = entry.target is None
            array = np.zeros(entry.source_shape, entry.dtype) if lacking else entry.to_torch(state[entry.target])
            yield name, array
            if progress:
                progress(name, array.nbytes)

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
    """One tensor that keeps two networks from being paired: its full name, and what is wrong with it."""

    name: str
    message: str

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
    paired, problems = pair_up(torch_module, paddle_layer, table)
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
    derived: set[str] = set()
    problems: list[Problem] = []
    for path, torch_layer, layer in _paired(torch_module, paddle_layer):
        sources, targets = _torch_tensors(torch_layer), _paddle_tensors(layer)
        if torch_layer is None or layer is None:
            here, there = ("torch", "Paddle") if layer is None else ("Paddle", "torch")
            problems += [
                Problem(path + n, f"in {here} only, {there} has no layer {path[:-1]}")
                for n in sources or targets
            ]
            continue
        found, wrong = _entries(path, torch_layer, layer, sources, table)
        problems += wrong or _spectral_problems(path, torch_layer, layer, sources, table)
        for entry in found:
            misfit = _target_problems(entry, entry.target and targets.get(entry.target.removeprefix(path)))
            problems += misfit
            if not misfit:
                entries[entry.source] = entry
        unclaimed = targets.keys() - {e.target.removeprefix(path) for e in found if e.target}
        derived |= {path + name for name in unclaimed if f"{name}_orig" in targets}
        if not wrong:
            lonely = f"in Paddle only, torch's {type(torch_layer).__name__} has no tensor for it"
            extra = (path + n for n in targets if n in unclaimed and path + n not in derived)
            problems += [Problem(name, lonely) for name in extra]
    return Plan(MappingProxyType(entries), frozenset(derived)), problems


def _paired(
    torch_layer: torch.nn.Module | None, layer: paddle.nn.Layer | None, path: str = ""
) -> Iterator[tuple[str, torch.nn.Module | None, paddle.nn.Layer | None]]:
    """Both trees by path, None where one side has no such layer. The frameworks' own walks leave out what
    occurs twice,
    although their state dicts hold it twice: hence `_modules` and `_sub_layers`."""
    yield path, torch_layer, layer
    left = torch_layer._modules if torch_layer is not None else {}
    right = layer._sub_layers if layer is not None else {}
    for name in [*left, *(name for name in right if name not in left)]:
        yield from _paired(left.get(name), right.get(name), f"{path}{name}.")


def _torch_tensors(layer: torch.nn.Module | None) -> dict[str, torch.Tensor]:
    """What the layer itself, without its children, adds to the state dict."""
    if layer is None:
        return {}
    buffers = {n: b for n, b in layer._buffers.items() if n not in layer._non_persistent_buffers_set}
    return {name: tensor for name, tensor in {**layer._parameters, **buffers}.items() if tensor is not None}


def _paddle_tensors(layer: paddle.nn.Layer | None) -> dict[str, paddle.Tensor]:
    if layer is None:
        return {}
    buffers = {n: b for n, b in layer._buffers.items() if n not in layer._non_persistable_buffer_names_set}
    return {name: tensor for name, tensor in {**layer._parameters, **buffers}.items() if tensor is not None}


def _entries(path, torch_layer, layer, sources, table) -> tuple[list[Entry], list[Problem]]:
    """The entries of one pair of layers, and a problem for each tensor that no rule covers."""
    entries, problems = [], []
    for name, tensor in sources.items():
        rule = table.rule(type(torch_layer), type(layer), name, sources)
        if rule is None:
            pair = f"(torch {type(torch_layer).__name__}, Paddle {type(layer).__name__})"
            problems.append(
                Problem(path + name, f"no layout rule for it in the layer pair {pair}; register one")
            )
            continue
        if torch.nn.parameter.is_lazy(tensor):
            problems.append(
                Problem(path + name, "a lazy parameter without a shape; run the torch network once before")
            )
            continue
        shape = tuple(tensor.shape)
        dtype = str(tensor.dtype).removeprefix("torch.")
        if rule.kind == "drop":
            entries.append(Entry(path + name, None, shape, None, dtype, rule.kind))
        else:
            target_shape = shape[::-1] if rule.kind == "transpose" else shape
            entries.append(
                Entry(path + name, path + (rule.target or name), shape, target_shape, dtype, rule.kind)
            )
    return entries, problems


def _target_problems(entry: Entry, target: paddle.Tensor | None) -> list[Problem]:
    """What keeps `target` from taking what the rule makes of the torch tensor."""
    if entry.target is None:
        return []
    if target is None:
        return [Problem(entry.source, f"in torch only, Paddle has no {entry.target}")]
    shape, dtype = tuple(int(n) for n in target.shape), str(target.dtype).removeprefix("paddle.")
    if shape != entry.target_shape:
        laid_out = f"torch's {entry.source_shape} by rule {entry.rule} gives {entry.target_shape}"
        return [Problem(entry.source, f"{laid_out}, Paddle's {entry.target} is {shape}")]
    if kind(dtype) != kind(entry.dtype):
        return [Problem(entry.source, f"torch holds {entry.dtype}, Paddle's {entry.target} {dtype}")]
    return []


def _spectral_problems(path, torch_layer, layer, sources, table) -> list[Problem]:
    """Over another dimension u and v mean something else, yet fit by shape where the weight is square."""
    problems = []
    ours = {h.name: h for h in torch_layer._forward_pre_hooks.values() if isinstance(h, TorchSpectralNorm)}
    theirs = {h.name: h for h in layer._forward_pre_hooks.values() if isinstance(h, PaddleSpectralNorm)}
    for name in ours.keys() & theirs.keys():
        rule = table.rule(type(torch_layer), type(layer), f"{name}_orig", sources)
        expected = 1 - ours[name].dim if rule and rule.kind == "transpose" else ours[name].dim
        if theirs[name].dim != expected:
            problems.append(
                Problem(
                    path + name,
                    f"torch's spectral norm over dim {ours[name].dim} is dim {expected} in Paddle's layout, "
                    f"found dim {theirs[name].dim}",
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

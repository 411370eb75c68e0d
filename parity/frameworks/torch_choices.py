"""Which element was chosen: the reference's choices, kept in its noise draws.

Sorting, comparing, rounding to an integer are exact, but discontinuous: where a draw moves their operands by one rounding, another
element may be chosen, and what follows is another computation. Its distance is no noise; taken for a floor it hides every fault
behind it. So the run that is measured against records what it chose, and each draw goes on with that.

A choice is the result of an operation that turns floating-point numbers into integers or truth values (comparisons, argmax,
casts, nonzero), rounds them to integers, or hands over the places of what it selected (topk, sort, median, max over a dimension,
max pooling). Choices that leave the value continuous (relu, clamp, maximum) are not among them. The backward pass makes none of
its own: it uses those of the forward.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import torch

from parity.blame import hand_on
from parity.frameworks.torch_modes import Seeing, name_of

# To integers, as numbers that stay floating-point.
_TO_INTEGERS = {"floor", "floor_divide", "ceil", "round", "trunc", "sign", "sgn", "heaviside"}
_REMAINDERS = {"remainder", "fmod"}  # the choice is how often it goes
_ALONG = {"topk", "sort", "kthvalue", "median", "nanmedian", "mode", "max", "min", "cummax", "cummin"}  # (values, places) by a dim
_POOLS = {"max_pool2d_with_indices": 2, "max_pool3d_with_indices": 3, "adaptive_max_pool2d": 2, "adaptive_max_pool3d": 3}


class Choices:
    """What one run chose: operation -> its results that are choices, in the order of its calls."""

    def __init__(self) -> None:
        self._made: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)

    def recording(self) -> Seeing:
        """While active, choices are noted."""
        return _Recording(self._made)

    @property
    def throw_away(self) -> bool:
        """Whether any was made but by a pooling, which hands on the largest of a few: what it leaves is smaller, nothing else."""
        return any(name_of(operation) not in _POOLS for operation in self._made)

    def reader(self) -> Reader:
        """For one run that goes on with these choices."""
        return Reader(self._made)


class Reader:
    """The choices of another run, call by call."""

    def __init__(self, made: dict[Any, list[tuple[Any, ...]]]) -> None:
        self._made, self._calls = made, Counter()

    def keep(self, func: Any, args: tuple, kwargs: dict, result: Any) -> None:
        """Overwrite the results of an operation with what the other run chose there. A run that went another way keeps its own."""
        results = _results(result)
        if not is_choice(func, args, kwargs, results):
            return
        number = self._calls[func]
        self._calls[func] += 1
        known = self._made.get(func, ())
        if number >= len(known) or not _alike(known[number], results):
            return
        name, places = name_of(func), known[number][-1]
        if name in _ALONG and len(results) == 2:
            results[0].copy_(_along(args[0], places, _argument(func, args, kwargs, "dim")))
            results[1].copy_(places)
        elif name in _POOLS:
            spatial = args[0].flatten(-_POOLS[name])
            results[0].copy_(spatial.gather(-1, places.flatten(-_POOLS[name])).view_as(results[0]))
            results[1].copy_(places)
        elif name in _REMAINDERS:
            results[0].copy_(args[0] - args[1] * places)
        else:
            for own, chosen in zip(results, known[number], strict=True):
                if _is_discrete(own) or (isinstance(own, torch.Tensor) and _to_integers(func, kwargs)):
                    own.copy_(chosen)


class _Recording(Seeing):
    def __init__(self, made: dict[Any, list[tuple[Any, ...]]]) -> None:
        super().__init__()
        self._made = made

    def operation(self, func: Any, args: tuple, kwargs: dict) -> Any:
        result = hand_on(func, *args, **kwargs)
        if is_choice(func, args, kwargs, results := _results(result)):
            if name_of(func) in _REMAINDERS:
                results = (((args[0] - result) / args[1]).round(),)
            # A copy: what was returned may be written in place later.
            self._made[func].append(tuple(one.clone() if isinstance(one, torch.Tensor) else one for one in results))
        return result


def is_choice(func: Any, args: tuple, kwargs: dict, results: Sequence[Any]) -> bool:
    """Whether the operation turned floating-point numbers into something discrete, in a forward pass."""
    if torch._C._current_graph_task_id() != -1 or _is_view(func):
        return False
    if not (name_of(func) in _REMAINDERS or _to_integers(func, kwargs) or any(map(_is_discrete, results))):
        return False
    return any(isinstance(one, torch.Tensor) and one.dtype.is_floating_point for one in _flat(args))


def _is_view(func: Any) -> bool:
    """Whether what it returns are the operand's own bits: to overwrite them would be to write into that."""
    return any(one.alias_info is not None and not one.alias_info.is_write for one in func._schema.returns)


def _to_integers(func: Any, kwargs: dict) -> bool:
    return name_of(func).rstrip("_") in _TO_INTEGERS or kwargs.get("rounding_mode") is not None


def _is_discrete(result: Any) -> bool:
    return isinstance(result, torch.Tensor) and not (result.dtype.is_floating_point or result.dtype.is_complex)


def _results(result: Any) -> Sequence[Any]:
    return result if isinstance(result, (tuple, list)) else (result,)


def _flat(args: tuple) -> list[Any]:
    return [item for one in args for item in (one if isinstance(one, (tuple, list)) else (one,))]


def _alike(known: Sequence[Any], results: Sequence[Any]) -> bool:
    return len(known) == len(results) and all(getattr(one, "shape", None) == getattr(other, "shape", None)
                                              for one, other in zip(known, results, strict=True))


def _argument(func: Any, args: tuple, kwargs: dict, name: str) -> Any:
    """An argument of an operation by its name in the schema."""
    for number, argument in enumerate(func._schema.arguments):
        if argument.name == name:
            given = args[number] if number < len(args) and not argument.kwarg_only else kwargs.get(name)
            return argument.default_value if given is None else given
    raise LookupError(f"{func} has no argument {name}")


def _along(source: torch.Tensor, places: torch.Tensor, dim: int) -> torch.Tensor:
    """What stands at these places of a dimension, which the places may lack."""
    if not source.dim():
        return source
    if places.dim() == source.dim():
        return source.gather(dim, places)
    dim %= source.dim()
    return source.gather(dim, places.unsqueeze(dim)).squeeze(dim)

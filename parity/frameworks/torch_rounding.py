"""Stochastic arithmetic for the reference: every operation's result moved by what its rounding may come to.

One ulp on inputs and weights alone does not show all that rounding can do: an algorithm's own error (`torch.var` in
float64, a running mean, is 6e-14 off for 4M values) is nearly the same in every such draw. So a noise draw also moves
the result of each operation, forward and backward, in the manner of CESTAC and Verrou (Vignes 1993; Fevotte and
Lathuiliere 2016):

    elementwise   result * (1 +- eps)
    a reduction   result +- eps * sqrt(terms) * largest magnitude (a sum of n terms in an unspecified order)

A pairwise sum has partial sums of log2(terms) levels, each of which rounds once: eps * sqrt(log2(terms)) instead (Higham 1993).

Operations that only move or choose values are exact and stay so; what they choose stays as well (`torch_choices`). A cast to a
narrower precision rounds at that precision, correctly and so alike on both sides, unless what came before has carried a number
over the border between two others: that moves where it can happen (`CARRIED_OVER`).
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterator
from typing import Any

import torch

from parity.blame import hand_on
from parity.frameworks.torch_choices import Reader
from parity.frameworks.torch_modes import Seeing, name_of

# What selects, copies, compares or sets, draws random numbers, or rounds to integers: exact, whatever it is given.
_EXACT = frozenset("""
_unique2 _unsafe_view abs adaptive_max_pool2d adaptive_max_pool2d_backward adaptive_max_pool3d
adaptive_max_pool3d_backward alias amax amin aminmax arange argsort as_strided bernoulli bernoulli_ block_diag
bucketize cat ceil ceil_ channel_shuffle clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clone complex conj
constant_pad_nd copy copy_ copysign cummax cummin detach diag diag_embed diagonal_scatter embedding empty empty_like
empty_strided eq expand exponential_ eye fill fill_ flip floor floor_ floor_divide fmax fmin fmod frac full full_like gather ge gt
hardshrink hardshrink_backward hardtanh hardtanh_ hardtanh_backward heaviside im2col imag index index_copy index_copy_
index_fill index_fill_ index_select kthvalue le lift lift_fresh log_normal_ lt masked_fill masked_fill_ masked_scatter
masked_scatter_ masked_select max max_pool2d_with_indices max_pool2d_with_indices_backward max_pool3d_with_indices
max_pool3d_with_indices_backward maximum median min minimum mode multinomial nan_to_num nan_to_num_ nanmedian ne neg
neg_ new_empty new_empty_strided new_full new_ones new_zeros normal_ ones ones_like permute pixel_shuffle
pixel_unshuffle put rand rand_like randint randint_like randn randn_like random_ randperm real reflection_pad1d
reflection_pad2d reflection_pad3d relu relu_ remainder repeat repeat_interleave replication_pad1d replication_pad2d
replication_pad3d resize_ roll rot90 round round_ scalar_tensor scatter scatter_ select_backward select_copy
select_scatter set_ sgn sign sign_ slice_backward slice_scatter sort stack take take_along_dim threshold threshold_
threshold_backward topk tril tril_ triu triu_ trunc trunc_ unfold uniform_ unique_consecutive unique_dim
upsample_nearest1d upsample_nearest2d upsample_nearest3d view_as_complex view_as_real where zero_ zeros zeros_like
""".split())  # noqa: SIM905 (read as a text)
_WRITES = {"index_put", "index_put_", "_index_put_impl_"}  # exact where they do not add up
_REDUCTIONS = {"sum", "mean", "var", "std", "var_mean", "std_mean", "linalg_vector_norm", "norm", "logsumexp", "cumsum"}


CARRIED_OVER = 1e-12
"""Of a cast's numbers, the share that one unit of the source carries over a border of the result, from which on casts are moved.

That share is the ratio of the two units: 2e-9 from float64 to float32, 1e-4 from float32 to float16, where it happens in every
large tensor; 2e-13 from float64 to float16, 3e-14 to bfloat16, where it happens to none of a million numbers that are a thousand
units off. Moved all the same, they would hide a cast to half precision that one side has forgotten: it is as large as its unit.
"""

_SIGNS = 1 << 20


@functools.cache
def _signs(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """So many random signs, drawn once and read from a random place for each operation: anew for each run they cost as much as a
    small program."""
    generator = torch.Generator(device).manual_seed(0)
    return torch.empty(_SIGNS, dtype=dtype, device=device).bernoulli_(0.5, generator=generator).mul_(2).sub_(1)


def _selects(name: str, args: tuple, kwargs: dict) -> bool:
    """Whether an operation that may add up is asked for the largest or smallest of what it is given, and so for one of these: on
    the way back torch looks for the one that the result is equal to."""
    if name in _SELECTING:
        return kwargs.get("reduce", args[_SELECTING[name]] if len(args) > _SELECTING[name] else None) in _EXTREMES
    if name in ("linalg_vector_norm", "norm"):
        order = args[1] if len(args) > 1 else 2
        return isinstance(order, (int, float)) and math.isinf(order)
    return False


_SELECTING = {"scatter_reduce": 4, "scatter_reduce_": 4, "index_reduce": 4, "index_reduce_": 4, "segment_reduce": 1}
_EXTREMES = ("amax", "amin", "max", "min")


class StochasticRounding(Seeing):
    """While active, each operation's floating-point results are moved at random, reproducibly from `seed`.

    choices: of the run that is measured against, to go on with. pairwise: sums err as pairwise summation does, not as one in any
    order.
    """

    def __init__(self, seed: int, choices: Reader | None = None, pairwise: bool = False) -> None:
        super().__init__()
        self._choices, self._pairwise = choices, pairwise
        self._random = random.Random(seed)

    def operation(self, func: Any, args: tuple, kwargs: dict) -> Any:
        result = hand_on(func, *args, **kwargs)
        if self._choices is not None:
            self._choices.keep(func, args, kwargs, result)
        name = name_of(func)
        exact = (name in _EXACT and not (name == "abs" and args[0].is_complex())) or _selects(name, args, kwargs)
        if exact or (name == "_to_copy" and not _is_carried_over(args[0], result)):
            return result
        if kwargs.get("rounding_mode") or (name in _WRITES and not _accumulates(args)):
            return result
        operands = [arg for arg in args if isinstance(arg, torch.Tensor) and _rounds(arg.dtype)]
        results = result if isinstance(result, (tuple, list)) else (result,)
        for tensor, described in zip(results, func._schema.returns, strict=False):
            view = described.alias_info is not None and not described.alias_info.is_write
            dense = isinstance(tensor, torch.Tensor) and tensor.layout is torch.strided  # sparse: its kernels know no such moves
            if dense and _rounds(tensor.dtype) and tensor.numel() and not view:
                (self._move_complex if tensor.is_complex() else self._move)(name, tensor, operands)
        return result

    def _move(self, name: str, tensor: torch.Tensor, operands: list[torch.Tensor]) -> None:
        if tensor.dim() == 0 and float(tensor).is_integer():
            return  # a counter (Adam's steps): sums of small integers are exact
        eps = torch.finfo(tensor.dtype).eps
        terms = _terms(name, tensor, operands)
        if terms <= 1:
            huge = _largest(tensor) > torch.finfo(tensor.dtype).max / 2  # the neighbour of a mask may be infinite
            for piece, signs in self._pieces(tensor):
                if huge:
                    moved = torch.addcmul(piece, piece, signs, value=eps)
                    piece.copy_(torch.where(moved.isfinite(), moved, piece))
                else:
                    piece.addcmul_(piece, signs, value=eps)
            return
        magnitude = _largest(tensor)
        if name in ("sum", "mean") and operands:
            # A sum may cancel: its partial sums are as large as sqrt(terms) operands, whatever is left at the end.
            largest = _largest(operands[0])
            magnitude = max(magnitude, largest * (math.sqrt(terms) if name == "sum" else 1 / math.sqrt(terms)))
        if math.isfinite(magnitude):
            for piece, signs in self._pieces(tensor):
                nonzero = (piece != 0).to(piece.dtype)  # a sum of nothing but zeros is exact (see `one_ulp`)
                piece.addcmul_(signs, nonzero, value=eps * self._steps(terms) * magnitude)

    def _move_complex(self, name: str, tensor: torch.Tensor, operands: list[torch.Tensor]) -> None:
        """Both parts, each by the rounding of the whole: a product's may cancel."""
        parts, terms = torch.view_as_real(tensor), _terms(name, tensor, operands)
        sizes = tensor.abs()
        sizes = torch.where(sizes.isfinite(), sizes, 0).unsqueeze(-1).expand_as(parts)
        if terms > 1:
            sizes = (sizes.max() * self._steps(terms)).expand_as(parts)
        done, sizes = 0, sizes.reshape(-1)
        for piece, signs in self._pieces(parts):
            here = sizes[done:done + piece.numel()].view(piece.shape)
            piece.addcmul_(signs, here * (piece != 0), value=torch.finfo(tensor.dtype).eps)
            done += piece.numel()

    def _steps(self, terms: float) -> float:
        """By how many roundings of its own size, all at random, a sum of so many terms is off."""
        return math.sqrt(math.log2(terms) if self._pairwise and terms > 2 else terms)

    def _pieces(self, tensor: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The tensor's memory in pieces, each with as many random signs."""
        signs = _signs(tensor.dtype, tensor.device)
        if not tensor.is_contiguous():
            places = torch.arange(tensor.numel(), device=tensor.device).add_(self._random.randrange(_SIGNS)).remainder_(_SIGNS)
            yield tensor, signs[places].view(tensor.shape)
            return
        flat, longest = tensor.view(-1), _SIGNS // 2
        for start in range(0, flat.numel(), longest):
            piece = flat[start:start + longest]
            offset = self._random.randrange(_SIGNS - piece.numel() + 1)
            yield piece, signs[offset:offset + piece.numel()]


def _is_carried_over(source: Any, result: torch.Tensor) -> bool:
    """Whether a cast loses digits, and may round the two sides' numbers to different ones."""
    if not (isinstance(source, torch.Tensor) and _rounds(source.dtype) and _rounds(result.dtype)):
        return False
    share = torch.finfo(source.dtype).eps / torch.finfo(result.dtype).eps
    return CARRIED_OVER < share < 1


def _rounds(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def _accumulates(args: tuple) -> bool:
    return len(args) > 3 and bool(args[3])


def _largest(tensor: torch.Tensor) -> float:
    low, high = torch.aminmax(tensor)
    return max(-float(low), float(high))


def _terms(name: str, result: torch.Tensor, operands: list[torch.Tensor]) -> float:
    """How many terms were added up for one element of the result; 1 for an elementwise operation."""
    sizes = [operand.numel() for operand in operands]
    if name == "convolution":
        weight = operands[1]
        return weight.numel() / weight.shape[0]
    if name == "convolution_backward":
        gradient, _, weight = operands[:3]
        if result.shape == weight.shape:
            return gradient.numel() / gradient.shape[1]  # over batch and space
        return weight.numel() / weight.shape[1] if result.dim() > 1 else gradient.numel() / result.numel()
    if name in ("mm", "addmm", "bmm", "baddbmm", "mv", "dot", "matmul", "addmv"):
        return operands[-1].shape[-2] if operands[-1].dim() > 1 else operands[-1].numel()
    if name.startswith("_fft"):
        return 1 + math.log2(max(result.numel(), *sizes, 2))  # a sum in so many steps, each of two terms
    if name in _REDUCTIONS:
        return max(sizes) / result.numel() if sizes else 1
    if "norm" in name:
        # The statistics inside are means over a channel (or a row) of the largest operand.
        return max(sizes) / max(1, min(min(sizes), result.numel())) if sizes else 1
    if sizes and max(sizes) > result.numel():
        return max(sizes) / result.numel()  # a pooling, a loss: something was summed
    return 1

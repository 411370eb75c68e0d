"""What each framework's autocast does with an operation on a GPU: compute it in half precision, in full, or as it is given.

torch's column was measured: a fake tensor has a device, and autocast acts on it, where there is none (tests/frameworks/
test_autocast_lists.py does it again). Paddle's is what its own lists say (`paddle.amp.amp_lists`), which a GPU alone reads.
`python -m parity.frameworks.autocast_lists > docs/autocast.md` writes the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from parity.frameworks.lowering import FULL, PRODUCTS

HALF, WHOLE, GIVEN = "half", "full", "as given"


class Treated(NamedTuple):
    """torch_functions: their bare names. kernels: Paddle's; none where its function is made of others, listed or not. listed: what
    its lists call them. torch, paddle: HALF, WHOLE or GIVEN."""

    name: str
    torch_functions: tuple[str, ...]
    kernels: tuple[str, ...]
    listed: tuple[str, ...]
    torch: str
    paddle: str


OPERATIONS = (
    Treated("matmul", ("matmul", "rmatmul", "mm", "dot"), ("matmul", "rmatmul"), ("matmul_v2",), HALF, HALF),
    Treated("linear", ("linear",), ("linear",), ("linear_v2",), HALF, HALF),
    Treated("conv1d, conv2d", ("conv1d", "conv2d"), ("conv2d",), ("conv2d",), HALF, HALF),
    Treated("einsum", ("einsum",), ("einsum",), ("einsum",), HALF, HALF),
    Treated("attention", ("scaled_dot_product_attention", "multi_head_attention_forward"), ("flash_attn",), ("flash_attn",),
            HALF, HALF),
    Treated("conv3d", ("conv3d",), ("conv3d",), ("conv3d",), HALF, GIVEN),
    Treated("depthwise conv2d", (), ("depthwise_conv2d",), ("depthwise_conv2d",), HALF, GIVEN),
    Treated("transposed convolutions", ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
            ("conv2d_transpose", "conv3d_transpose"), ("conv2d_transpose", "conv3d_transpose"), HALF, GIVEN),
    Treated("bmm", ("bmm",), ("bmm",), ("bmm",), HALF, GIVEN),
    Treated("mv", ("mv",), ("mv",), ("mv",), HALF, GIVEN),
    Treated("addmm, baddbmm", ("addmm", "baddbmm"), ("addmm", "baddbmm"), ("addmm", "baddbmm"), HALF, GIVEN),
    Treated("prelu", ("prelu",), ("prelu",), ("prelu",), HALF, GIVEN),
    Treated("softmax", ("softmax",), ("softmax",), ("softmax",), WHOLE, WHOLE),
    Treated("log_softmax", ("log_softmax",), ("log_softmax",), ("log_softmax",), WHOLE, WHOLE),
    Treated("layer_norm", ("layer_norm",), ("layer_norm",), ("layer_norm",), WHOLE, WHOLE),
    Treated("group_norm", ("group_norm",), ("group_norm",), ("group_norm",), WHOLE, WHOLE),
    Treated("cross_entropy", ("cross_entropy",), ("cross_entropy_with_softmax",), ("softmax_with_cross_entropy",), WHOLE, WHOLE),
    Treated("nll_loss", ("nll_loss",), ("nll_loss",), ("nll_loss",), WHOLE, WHOLE),
    Treated("binary_cross_entropy_with_logits", ("binary_cross_entropy_with_logits",), ("sigmoid_cross_entropy_with_logits",),
            ("sigmoid_cross_entropy_with_logits",), WHOLE, WHOLE),
    Treated("smooth_l1_loss", ("smooth_l1_loss",), ("huber_loss",), ("huber_loss",), WHOLE, WHOLE),
    Treated("mse_loss", ("mse_loss",), (), ("square",), WHOLE, WHOLE),
    Treated("square", ("square",), ("square",), ("square",), WHOLE, WHOLE),
    Treated("pow", ("pow",), ("pow",), ("pow",), WHOLE, WHOLE),
    Treated("exp", ("exp",), ("exp",), ("exp",), WHOLE, WHOLE),
    Treated("log", ("log",), ("log",), ("log",), WHOLE, WHOLE),
    Treated("reciprocal", ("reciprocal",), ("reciprocal",), ("reciprocal",), WHOLE, WHOLE),
    Treated("rsqrt", ("rsqrt",), ("rsqrt",), ("rsqrt",), WHOLE, WHOLE),
    Treated("softplus", ("softplus",), ("softplus",), ("softplus",), WHOLE, WHOLE),
    Treated("sum", ("sum",), ("sum",), ("reduce_sum",), WHOLE, WHOLE),
    Treated("prod", ("prod",), ("prod",), ("reduce_prod",), WHOLE, WHOLE),
    Treated("cumsum", ("cumsum",), ("cumsum",), ("cumsum",), WHOLE, WHOLE),
    Treated("interpolate", ("interpolate",), ("bilinear_interp",), ("bilinear_interp_v2",), WHOLE, WHOLE),
    Treated("norm", ("norm", "vector_norm", "linalg_vector_norm"), ("p_norm",), ("p_norm",), WHOLE, GIVEN),  # listed as "pnorm"
    Treated("l1_loss", ("l1_loss",), (), ("abs",), WHOLE, GIVEN),
    Treated("kl_div", ("kl_div",), ("kldiv_loss",), ("kldiv_loss",), WHOLE, GIVEN),
    Treated("logsumexp", ("logsumexp",), ("logsumexp",), ("logsumexp",), WHOLE, GIVEN),
    Treated("mean", ("mean",), ("mean", "mean_all"), ("reduce_mean", "mean"), GIVEN, WHOLE),
    Treated("embedding", ("embedding",), ("embedding",), ("lookup_table_v2",), GIVEN, WHOLE),
    Treated("batch_norm", ("batch_norm",), ("batch_norm",), ("batch_norm",), GIVEN, GIVEN),
    Treated("gelu", ("gelu",), ("gelu",), ("gelu",), GIVEN, GIVEN),
    Treated("relu", ("relu",), ("relu",), ("relu",), GIVEN, GIVEN),
    Treated("tanh", ("tanh",), ("tanh",), ("tanh",), GIVEN, GIVEN),
    Treated("sigmoid", ("sigmoid",), ("sigmoid",), ("sigmoid",), GIVEN, GIVEN),
    Treated("dropout", ("dropout",), ("dropout",), ("dropout",), GIVEN, GIVEN),
)
_OF_BOTH = {(HALF, HALF): PRODUCTS, (WHOLE, WHOLE): FULL}
_KINDS = {one: _OF_BOTH.get((one.torch, one.paddle)) for one in OPERATIONS}
_TORCH = {name: kind for one, kind in _KINDS.items() for name in one.torch_functions}
_PADDLE = {name: kind for one, kind in _KINDS.items() for name in one.kernels}
LISTED = {kernel: listed for one in OPERATIONS for kernel, listed in zip(one.kernels, one.listed, strict=False)}
FULL_IN_PADDLE = frozenset(name for one, kind in _KINDS.items() if kind == FULL for name in one.listed)


def kind_of_torch(name: str, arguments: Sequence[Any]) -> str | None:
    """PRODUCTS, FULL, or None where the two frameworks do not treat it alike (a convolution in groups, too), or as it is given."""
    grouped = name in ("conv1d", "conv2d") and len(arguments) > 6 and arguments[6] != 1
    return None if grouped else _TORCH.get(name)


def kind_of_paddle(name: str) -> str | None:
    """The same of a kernel."""
    return _PADDLE.get(name)


_PAGE = """\
# What autocast lowers

This page is written by `python -m parity.frameworks.autocast_lists > docs/autocast.md`.

On a GPU, inside `torch.autocast("cuda")` and `paddle.amp.auto_cast(level="O1")`, an operation is computed in half precision, in
full, or in the precision of what it is given. torch's column is measured, on tensors that have a device and no memory; Paddle's is
what its own lists say (`paddle.amp.amp_lists`, 3.3.1), which are read on a GPU alone. At level O2 Paddle computes in half
precision all but interpolation, embeddings and scatter. On the CPU Paddle lowers nothing, and torch keeps in full only losses and
`prod`: softmax, norms and sums go by what they are given.

Where the two columns differ, no port can help it but by a cast, or by `custom_white_list` and `custom_black_list`.

| operation | torch | Paddle | |
| --- | --- | --- | --- |
"""


def page() -> str:
    """docs/autocast.md."""
    return _PAGE + "".join(f"| {one.name} | {one.torch} | {one.paddle} | {'' if one.torch == one.paddle else 'differs'} |\n"
                           for one in OPERATIONS)


if __name__ == "__main__":
    print(page(), end="")

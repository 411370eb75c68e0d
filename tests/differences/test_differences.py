"""The registry of explained differences: each is there, each imitation is faithful, and only that is explained."""

import dataclasses
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import paddle
import pytest
import torch
from torch.nn import functional as F

import parity
from parity import normal
from parity.compare import ladder
from parity.compare.ladder import compare
from parity.declare.pair import Pair, Subject
from parity.differences import ALL, by_name, explain
from parity.differences.difference import Reproduction
from parity.differences.imitation import naive_sum
from parity.differences.page import page
from parity.frameworks.torch_side import TorchFramework
from parity.numbers.arrays import Verdict
from parity.numbers.noise import M
from parity.port import Port
from parity.report.words import explanations
from parity.trace.source import SourceTree

paddle.set_device("cpu")
IMITATED = [difference for difference in ALL if difference.imitate is not None]


def named(differences):
    return pytest.mark.parametrize("difference", differences, ids=lambda difference: difference.name)


def draw(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# --- the registry ------------------------------------------------------------------------------------------------

@named(ALL)
def test_the_difference_is_there_in_the_versions_where_it_was_seen(difference):
    known = difference.figures.get(paddle.__version__)
    if known is None:
        pytest.skip(f"not measured with Paddle {paddle.__version__}; here {difference.reproduce()}")
    reproduction = difference.reproduce()
    assert reproduction.holds == (paddle.__version__ in difference.versions), reproduction
    assert reproduction.measured == pytest.approx(known, rel=0.2, abs=1e-15)


@named(ALL)
def test_a_healthy_operation_does_not_show_it(difference):
    healthy = float(difference.control())
    assert not Reproduction(healthy, difference.expected, "").holds, healthy


def test_names_are_unique_and_every_entry_is_complete():
    assert len({difference.name for difference in ALL}) == len(ALL) >= 20
    for difference in ALL:
        assert by_name(difference.name) is difference
        assert difference.versions and difference.size and difference.where and difference.correct and difference.effect
    with pytest.raises(KeyError, match="relu_nan"):
        by_name("no such")


# --- imitations ---------------------------------------------------------------------------------------------------

def outcome(x, function, framework):
    """Value and gradient of `function` at x, with a seeded upstream gradient."""
    if framework is torch:
        leaf = torch.from_numpy(x.copy()).requires_grad_()
        y = function(leaf)
        upstream = np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(x.dtype)
        y.backward(torch.from_numpy(np.asarray(upstream)))
        return y.detach().numpy(), leaf.grad.numpy()
    leaf = paddle.to_tensor(x, stop_gradient=False)
    y = function(leaf)
    upstream = np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(x.dtype)
    y.backward(paddle.to_tensor(np.asarray(upstream)))
    return y.numpy(), leaf.grad.numpy()


NAN = np.array([[[[np.nan, 1.0, -1.0, 2.0], [2.0, 3.0, np.nan, 0.5]]]])
WINDOWS = np.array([[[[3.0, np.nan], [1.0, 2.0]], [[3, 2], [1, np.nan]], [[np.nan, np.nan], [np.nan, 1]],
                     [[np.nan, np.nan], [np.nan, np.nan]]]])
ALL_NAN = np.array([[[[np.nan, np.nan], [np.nan, np.nan]]]])
ZEROS = np.array([[0.0, -0.0, 1.0, -2.0]])
LABELS = np.array([[1.0, 0.0, 1.0, 0.0]])
CLASSES = np.array([3, 1])
SOFT = np.array([[0.5, 0.25, 0.25, 0.0], [0.1, 0.2, 0.3, 0.4]])
WAVES = draw(4, 3, 2).view(np.complex128)[..., 0]
P = paddle.nn.functional
RRELU = paddle.nn.RReLU(0.2, 0.4)
RRELU.eval()
FAR = np.array([[0.0, -100.0, 1.0], [-64.5, 0.25, -63.5]])
POWER = hasattr(P, "lp_pool1d")  # not in Paddle 2.6
HOLES = np.array([[[[0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]])  # whose powers are exact
ODD = np.arange(1.0, 36.0).reshape(1, 1, 5, 7)
FIRST = np.array([0, 4, 1])
SHARES = np.abs(draw(5))
CASES = [  # entry, input on which it acts, input on which it does not, torch's call, Paddle's
    ("softmax_far_out", FAR, draw(2, 3), lambda x: 1e28 * torch.softmax(x, -1)[0, 1],
     lambda x: 1e28 * P.softmax(x)[0, 1]),
    ("softmax_far_out", FAR.T.copy(), draw(3, 2), lambda x: x.log_softmax(0), lambda x: P.log_softmax(x, 0)),
    ("softmax_far_out", FAR, draw(2, 3), lambda x: F.cross_entropy(x, torch.tensor([1, 0])),
     lambda x: P.cross_entropy(x, paddle.to_tensor([1, 0]))),
    ("relu_nan", NAN, draw(5), F.relu, P.relu),
    ("relu_nan", NAN, draw(5), torch.relu, P.relu),
    ("relu_nan", NAN, draw(5), lambda x: x.relu(), P.relu),
    ("relu_nan", NAN, draw(5), lambda x: torch.nn.ReLU(True)(x.clone()), P.relu),
    ("relu_nan", NAN, draw(5), lambda x: x.clone().relu_(), P.relu),
    ("max_pool_nan", NAN, draw(1, 1, 2, 4), lambda x: F.max_pool2d(x, 2), lambda x: P.max_pool2d(x, 2)),
    ("max_pool_nan", NAN, draw(1, 1, 2, 4), torch.nn.MaxPool2d(2), paddle.nn.MaxPool2D(2)),
    ("adaptive_max_pool_nan", NAN, draw(1, 1, 2, 4), lambda x: F.adaptive_max_pool2d(x, 1),
     lambda x: P.adaptive_max_pool2d(x, 1)),
    ("adaptive_max_pool_nan", NAN, draw(1, 1, 2, 4), torch.nn.AdaptiveMaxPool2d(1), paddle.nn.AdaptiveMaxPool2D(1)),
    ("max_pool_nan", WINDOWS, draw(1, 4, 2, 2), lambda x: F.max_pool2d(x, 2), lambda x: P.max_pool2d(x, 2)),
    ("max_pool_nan", WINDOWS, draw(1, 4, 2, 2), lambda x: F.max_pool2d(x, (1, 2), 1),
     lambda x: P.max_pool2d(x, (1, 2), 1)),
    ("max_pool_nan", WINDOWS.reshape(1, 4, 4), draw(1, 4, 4), lambda x: F.max_pool1d(x, 3, 1),
     lambda x: P.max_pool1d(x, 3, 1)),
    ("adaptive_max_pool_nan", WINDOWS[:, :3], draw(1, 3, 2, 2), lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
     lambda x: P.max_pool2d(x, 2, return_mask=True)[0]),
    ("leaky_relu_zero", ZEROS, draw(5), lambda x: F.leaky_relu(x, 0.25), lambda x: P.leaky_relu(x, 0.25)),
    ("leaky_relu_zero", ZEROS, draw(5), lambda x: torch.nn.LeakyReLU(0.25, True)(x.clone()),
     paddle.nn.LeakyReLU(0.25)),
    ("leaky_relu_slope", draw(9), draw(9, dtype="float32"), torch.nn.LeakyReLU(0.2), paddle.nn.LeakyReLU(0.2)),
    *(("rrelu_slope", draw(9), draw(9, dtype="float32"), lambda x, bounds=bounds: F.rrelu(x, *bounds),
       lambda x, bounds=bounds: P.rrelu(x, *bounds, training=False)) for bounds in ((0.2, 0.5), (1 / 8, 1 / 3))),
    ("rrelu_slope", draw(9), draw(9, dtype="float32"), torch.nn.RReLU(0.2, 0.4).eval(), RRELU),
    *(("norm_gradient", 1e-3 * draw(4, 5), 1e6 * draw(4, 5, dtype="float32"), ours, theirs) for ours, theirs in (
        (lambda x: x.norm(dim=1), lambda x: x.norm(axis=1)),
        (lambda x: torch.norm(x), lambda x: paddle.norm(x)),
        (lambda x: torch.norm(x, 1, 1, True), lambda x: paddle.norm(x, 1, 1, True)),
        (lambda x: torch.linalg.norm(x, dim=0), lambda x: paddle.linalg.norm(x, axis=0)),
        (lambda x: torch.linalg.vector_norm(x, dim=-1), lambda x: paddle.norm(x, 2, -1)),
        (lambda x: F.normalize(x, dim=0), lambda x: P.normalize(x, axis=0)),
        (lambda x: F.normalize(x, 2, 1, 1.5e-3), lambda x: P.normalize(x, 2, 1, 1.5e-3)))),
    *(("norm_root", 1e6 * draw(4, 5), draw(4, 5, dtype="float32"), ours, theirs) for ours, theirs in (
        (lambda x: x.norm(3, dim=1), lambda x: x.norm(3, axis=1)),
        (lambda x: torch.norm(x, 1.3), lambda x: paddle.norm(x, 1.3)),
        (lambda x: torch.linalg.norm(x, 2.5, 0), lambda x: paddle.linalg.norm(x, 2.5, 0)),
        (lambda x: torch.linalg.vector_norm(x, 1.5, -1), lambda x: paddle.norm(x, 1.5, -1)),
        (lambda x: torch.cdist(x, x[:2] + 1e6, 1.5), lambda x: paddle.cdist(x, x[:2] + 1e6, 1.5)))),
    *(("renorm_epsilon", x, 1e-3 * x, lambda x, p=p, dim=dim: torch.renorm(x, p, dim, 0.7),
       lambda x, p=p, dim=dim: paddle.renorm(x, p, dim, 0.7))
      for x in (draw(4, 5), draw(3, 4, 2)) for p, dim in ((2.0, 0), (1.0, 1), (2.5, -1))),
    ("renorm_epsilon", np.array([[3.0, 4.0, 0.0]]), draw(2, 3) / 9, lambda x: x.renorm(1, 0, 1.0),
     lambda x: paddle.renorm(x, 1.0, 0, 1.0)),
    ("renorm_epsilon", draw(4, 5), 1e-3 * draw(4, 5), lambda x: x.clone().renorm_(2, 0, 0.7),
     lambda x: paddle.renorm(x, 2.0, 0, 0.7)),
    *(("margin_share", draw(3, 5), draw(3, 5, dtype="float32"), lambda x, options=options: F.multi_margin_loss(
        x, torch.from_numpy(FIRST), **options), lambda x, options=options: P.multi_margin_loss(
        x, paddle.to_tensor(FIRST), **options))
      for options in ({}, {"p": 2, "margin": 0.75}, {"reduction": "none", "margin": 0.25}, {"reduction": "sum"})),
    ("margin_share", draw(3, 5), draw(3, 5, dtype="float32"), lambda x: F.multi_margin_loss(
        x, torch.from_numpy(FIRST), weight=torch.from_numpy(SHARES).to(x)), lambda x: P.multi_margin_loss(
        x, paddle.to_tensor(FIRST), weight=paddle.to_tensor(SHARES).astype(x.dtype))),
    *((("power_pool", np.abs(draw(1, 2, 4, 6)), np.abs(draw(1, 2, 4, 6, dtype="float32")), ours, theirs) for ours, theirs in (
        (lambda x: F.lp_pool2d(x, 2.0, (2, 3)), lambda x: P.lp_pool2d(x, 2.0, (2, 3))),
        (lambda x: F.lp_pool2d(x, 2.3, 3, 1), lambda x: P.lp_pool2d(x, 2.3, 3, 1)),
        (lambda x: F.lp_pool1d(x[0], 4.0, 3, 2)[None], lambda x: P.lp_pool1d(x[0], 4.0, 3, 2)[None]))) if POWER else ()),
    *((("power_pool_zero", HOLES, HOLES + [1.0, 0.0, 0.0, 0.0],
        lambda x, p=p: F.lp_pool2d(x, p, 2), lambda x, p=p: P.lp_pool2d(x, p, 2)) for p in (2.0, 1.0)) if POWER else ()),
    *((("power_pool_ceil", ODD, ODD[..., :4, :6].copy(), ours, theirs)
       for ours, theirs in (
        (lambda x: F.lp_pool2d(x, 1.0, 2, 2, True), lambda x: P.lp_pool2d(x, 1.0, 2, 2, ceil_mode=True)),
        (lambda x: F.lp_pool1d(x[0], 1.0, 2, 2, True)[None], lambda x: P.lp_pool1d(x[0], 1.0, 2, 2, ceil_mode=True)[None])))
      if POWER else ()),
    *(("pow_exponent", draw(4, 5), draw(4, 5, dtype="float32"), ours, theirs) for ours, theirs in (
        (torch.nn.CELU(0.3), paddle.nn.CELU(0.3)),
        (torch.nn.Softshrink(0.3), paddle.nn.Softshrink(0.3)),
        (lambda x: F.huber_loss(x, 2 * x.detach(), delta=0.7), lambda x: P.smooth_l1_loss(x, 2 * x.detach(), delta=0.7)),
        (lambda x: F.smooth_l1_loss(x, 2 * x.detach(), beta=0.3, reduction="none"),
         lambda x: P.smooth_l1_loss(x, 2 * x.detach(), "none", 0.3) / 0.3),
        (lambda x: torch.addmm(x[:, :4], x, x.T, beta=0.3, alpha=0.7),
         lambda x: paddle.addmm(x[:, :4], x, x.T, beta=0.3, alpha=0.7)))),
    *(("bce_zero", ZEROS, draw(1, 4), lambda x, kind=kind: F.binary_cross_entropy_with_logits(
        x, torch.from_numpy(LABELS), reduction=kind), lambda x, kind=kind: P.binary_cross_entropy_with_logits(
        x, paddle.to_tensor(LABELS), reduction=kind)) for kind in ("mean", "sum", "none")),
    ("bce_zero", ZEROS, draw(1, 4), lambda x: F.binary_cross_entropy_with_logits(
        x, torch.from_numpy(LABELS), weight=torch.full((4,), 2.0)), lambda x: P.binary_cross_entropy_with_logits(
        x, paddle.to_tensor(LABELS), weight=paddle.full([4], 2.0, "float64"))),
    ("norm_epsilon", 1e-3 * draw(2, 3, 5, 7), draw(2, 3, 5, 7, dtype="float32"), torch.nn.InstanceNorm2d(3),
     paddle.nn.InstanceNorm2D(3, weight_attr=False, bias_attr=False)),
    ("norm_epsilon", 1e-3 * draw(2, 3, 5, 7), draw(2, 3, 5, 7, dtype="float32"), lambda x: F.layer_norm(x, (7,)),
     lambda x: P.layer_norm(x, 7)),
    ("pool_gradient", draw(2, 3, 5, 7), draw(2, 3, 4, 8), lambda x: F.adaptive_avg_pool2d(x, 1),
     lambda x: P.adaptive_avg_pool2d(x, 1)),
    ("pool_gradient", draw(2, 3, 5, 7), draw(2, 3, 4, 8), lambda x: F.adaptive_avg_pool2d(x, (2, 4)),
     lambda x: P.adaptive_avg_pool2d(x, (2, 4))),
    ("pool_gradient", draw(2, 3, 6, 9), draw(2, 3, 4, 8, dtype="float32"), torch.nn.AvgPool2d(3),
     paddle.nn.AvgPool2D(3)),
    *(("pool_gradient", draw(*shape), draw(*shape, dtype="float32"),
       lambda x, n=n, p=padding, ceil=ceil, full=full: getattr(F, f"avg_pool{n}d")(x, 3, 2, p, ceil, full),
       lambda x, n=n, p=padding, ceil=ceil, full=full: getattr(P, f"avg_pool{n}d")(
           x, 3, 2, p, exclusive=not full, ceil_mode=ceil))
      for n, shape in ((1, (2, 3, 10)), (2, (2, 3, 10, 8)), (3, (1, 2, 7, 6, 8)))
      for padding in (0, 1) for ceil in (False, True) for full in (False, True)),
    ("pool_gradient", draw(2, 3, 5, 7), draw(2, 3, 4, 8), lambda x: F.interpolate(x, size=(3, 2), mode="area"),
     lambda x: P.interpolate(x, size=(3, 2), mode="area")),
    ("pool_gradient", draw(2, 3, 5, 7), draw(2, 3, 5, 7, dtype="float32"),
     lambda x: F.local_response_norm(x, 3, alpha=0.1, k=1.0), lambda x: P.local_response_norm(x, 3, alpha=0.1, k=1.0)),
    ("norm_gradient", 1e-2 * draw(5, 4), 1e-2 * draw(30, 4), lambda x: torch.cdist(x, x + 2**-10),  # of which float32, too, has all
     lambda x: paddle.cdist(x, x + 2**-10)),
    ("pool_gradient", draw(2, 3, 5, 7, 6), draw(2, 3, 4, 8, 2), lambda x: F.adaptive_avg_pool3d(x, 2),
     lambda x: P.adaptive_avg_pool3d(x, 2)),
    *(("pool_divisor", draw(2, 3, 7, 5), draw(2, 3, 8, 4), lambda x, full=full: F.avg_pool2d(x, 2, 2, 0, True, full, 5),
       lambda x, full=full: P.avg_pool2d(
           x, 2, 2, 0, True, not full, 5.0)) for full in (False, True)),
    *(("interpolate_to_one", draw(1, 2, 4, 5), draw(1, 2, 1, 1),
       lambda x, size=size, mode=mode: F.interpolate(x, size, mode=mode),
       lambda x, size=size, mode=mode: P.interpolate(x, size, mode=mode)) for size in ([1, 1], [1, 3], [2, 1])
      for mode in ("bilinear", "bicubic")),
    *(("interpolate_positions", draw(1, 2, 4, 5), draw(1, 2, 4, 5, dtype="float32"),
       lambda x, size=size, mode=mode, aligned=aligned: F.interpolate(x, size, mode=mode, align_corners=aligned),
       lambda x, size=size, mode=mode, aligned=aligned: P.interpolate(x, size, mode=mode, align_corners=aligned))
      for size in ([3, 7], [7, 11]) for mode in ("bilinear", "bicubic") for aligned in (False, True)),
    ("interpolate_positions", draw(1, 2, 4, 5, 3), draw(1, 2, 4, 5, 3, dtype="float32"),
     lambda x: F.interpolate(x, (5, 7, 4), mode="trilinear"),
     lambda x: P.interpolate(x, [5, 7, 4], mode="trilinear", data_format="NCDHW")),
    ("interpolate_positions", draw(1, 2, 6, 5), draw(1, 2, 4, 5, dtype="float32"),
     torch.nn.Upsample(scale_factor=1.7, mode="bilinear"),
     paddle.nn.Upsample(scale_factor=1.7, mode="bilinear")),
    ("interpolate_positions", draw(1, 2, 6, 5), draw(1, 2, 4, 5, dtype="float32"),
     lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True),
     lambda x: P.interpolate(x, [int(1.7 * size) for size in x.shape[2:]], mode="bilinear")),
    *(("label_smoothing", draw(2, 4), draw(2, 4, dtype="float32"),
       lambda x, kind=kind: F.cross_entropy(x, torch.from_numpy(CLASSES), reduction=kind, label_smoothing=0.1),
       lambda x, kind=kind: P.cross_entropy(x, paddle.to_tensor(CLASSES), reduction=kind, label_smoothing=0.1).reshape(
           [-1] if kind == "none" else []))
      for kind in ("mean", "sum", "none")),
    ("label_smoothing", draw(2, 4), draw(2, 4, dtype="float32"),
     lambda x: F.cross_entropy(x, torch.from_numpy(SOFT).to(x), label_smoothing=0.3),
     lambda x: P.cross_entropy(x, paddle.to_tensor(SOFT), soft_label=True, label_smoothing=0.3)),
    *((f"{half}_cast", draw(9), draw(9).astype("float16"),
       lambda x, half=half: x.to(getattr(torch, half)).to(x.dtype), lambda x, half=half: x.astype(half).astype(x.dtype))
      for half in ("float16", "bfloat16")),
    ("pow_exponent", 1 + draw(9) ** 2, draw(9, dtype="float32") ** 2 + 1, lambda x: x ** 1.3, lambda x: x ** 1.3),
    ("pow_exponent", draw(9), draw(9, dtype="float32"), torch.nn.ELU(1.3), paddle.nn.ELU(1.3)),
    ("pow_exponent", 2 * draw(9), draw(9, dtype="float32"), lambda x: F.hardtanh(x, -1.3, 1.3),
     lambda x: P.hardtanh(x, -1.3, 1.3)),
    ("pow_exponent", draw(9), draw(9, dtype="float32"), torch.nn.SELU(), paddle.nn.SELU()),
    *(("cosine_embedding", 1e-1 * draw(4, 5), draw(4, 5, dtype="float32"),
       lambda x, kind=kind: F.cosine_embedding_loss(x, x.flip(1), torch.tensor([1, -1, 1, -1]), 0.1, reduction=kind),
       lambda x, kind=kind: P.cosine_embedding_loss(x, x.flip([1]), paddle.to_tensor([1, -1, 1, -1]), 0.1, kind))
      for kind in ("mean", "none")),
    ("softmax_far_out", 50 * draw(4, 5), draw(4, 5, dtype="float32"), lambda x: x.softmax(1).log(),
     lambda x: P.softmax(x, 1).log()),
    ("softmax_far_out", 99 * draw(4, 5), draw(4, 5, dtype="float32"), lambda x: F.log_softmax(x, 1), lambda x: P.log_softmax(x, 1)),
    ("softmax_far_out", 300 * draw(4, 5), draw(4, 5, dtype="float32"), lambda x: F.cross_entropy(x, torch.arange(4)),
     lambda x: P.cross_entropy(x, paddle.arange(4))),
    ("digamma_gradient", np.abs(draw(9)) + 0.1, draw(9, dtype="float32"), torch.digamma, paddle.digamma),
    ("complex_exponential", WAVES, draw(9), torch.exp, paddle.exp),
    ("complex_exponential", WAVES, WAVES.astype(np.complex64), torch.sigmoid, P.sigmoid),
    ("complex_product", WAVES, draw(4, 2), lambda x: x.prod(0), lambda x: x.prod(0)),
    ("overlapping_windows", draw(2, 9), draw(2, 3), lambda x: x.unfold(1, 3, 2), lambda x: x.unfold(1, 3, 2)),
    ("overlapping_windows", draw(12), draw(6), lambda x: x.as_strided((len(x) // 3, 3), (2, 1)) if len(x) > 6 else
     x.as_strided((2, 3), (3, 1)), lambda x: paddle.as_strided(x, [4, 3], [2, 1])),
]


cases = pytest.mark.parametrize("name, acting, idle, reference, twin", CASES,
                                ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])


def distance(a, b):
    odd = np.isnan(a) != np.isnan(b)
    return np.inf if odd.any() else np.nan_to_num(np.abs(a - b)).max() / max(1.0, np.nan_to_num(np.abs(b)).max())


def skip_unless_present(name):
    if not by_name(name).present:
        pytest.skip(f"Paddle {paddle.__version__} does not show {name}")


@cases
def test_torch_under_imitation_is_paddle_in_value_and_gradient(name, acting, idle, reference, twin):
    skip_unless_present(name)
    expected = outcome(acting, twin, paddle)
    plain = outcome(acting, reference, torch)
    with by_name(name).imitate() as acted:
        assert not acted
        found = outcome(acting, reference, torch)
    assert acted.count > 0
    tolerance = 3e-15 if name != "norm_epsilon" else 1e-12  # small variance: the deviations cancel
    assert max(map(distance, found, expected)) <= tolerance
    assert max(map(distance, plain, expected)) > 100 * tolerance
    again = outcome(acting, reference, torch)  # nothing is left behind
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(again, plain, strict=True))


@cases
def test_an_imitation_with_nothing_to_do_changes_no_bit_and_does_not_act(name, acting, idle, reference, twin):
    plain = outcome(idle, reference, torch)
    with by_name(name).imitate() as acted:
        found = outcome(idle, reference, torch)
    assert acted.count == 0
    assert all(np.array_equal(a, b) for a, b in zip(found, plain, strict=True))


@cases
def test_an_imitation_is_no_rounding_in_a_noise_draw(name, acting, idle, reference, twin):
    """What Paddle keeps in float32 is a constant: were it moved, floors of float64 would hide mistakes of 1e-8."""
    skip_unless_present(name)
    with by_name(name).imitate():
        still = outcome(acting, reference, torch)
        with TorchFramework().rounding(1, None):
            moved = outcome(acting, reference, torch)
    tolerance = 1e-13 if name != "norm_epsilon" else 1e-11  # small variance, float64: the deviations cancel
    assert max(map(distance, moved, still)) <= tolerance


def test_what_a_norm_does_otherwise_is_explained_beside_all_else():
    """A p-norm is made of powers, whose exponents another entry rounds: it is told apart with all entries at work."""
    pair = Port(Norms, PaddleNorms, inputs=[normal(4, 5)], modes=["eval"])
    assert parity.compare(pair, quick=True).verdict == "same"
    assert parity.compare(dataclasses.replace(pair, twin=lambda: PaddleNorms(1.3001)), quick=True).verdict == "diverged"


class Norms(torch.nn.Linear):
    def __init__(self):
        super().__init__(5, 5)

    def forward(self, x):
        y = super().forward(x)
        return y.norm(p=3, dim=1), y.norm(p=1.3, dim=1)


class PaddleNorms(paddle.nn.Linear):
    def __init__(self, p=1.3):
        super().__init__(5, 5)
        self.p = p

    def forward(self, x):
        y = super().forward(x)
        return y.norm(p=3, axis=1), y.norm(p=self.p, axis=1)


class Likelihood(torch.nn.Linear):
    def __init__(self):
        super().__init__(5, 2)

    def forward(self, x):
        mean, spread = super().forward(x).unbind(1)
        return F.gaussian_nll_loss(mean, x[:, 0], spread.exp())


class PaddleLikelihood(paddle.nn.Linear):
    """composed: of operations that lose nothing."""

    def __init__(self, composed):
        super().__init__(5, 2)
        self.composed = composed

    def forward(self, x):
        mean, spread = super().forward(x).unbind(1)
        if self.composed:
            return (0.5 * (spread + (mean - x[:, 0]) ** 2 / spread.exp())).mean()
        return P.gaussian_nll_loss(mean, x[:, 0], spread.exp())


def test_a_variance_that_is_cut_off_is_told_by_name_and_one_that_is_not_is_the_same():
    """A bug of Paddle that a port has all the same: it stays diverged, and has its cause."""
    def compared(composed):
        pair = Port(Likelihood, lambda: PaddleLikelihood(composed), inputs=[normal(4, 5)], modes=["eval"])
        return parity.compare(pair, quick=True)

    assert compared(composed=True).verdict == "same"
    found = compared(composed=False)
    assert found.verdict == "diverged" and "gaussian_variance" in str(found.headline[1].cause)


class Pulled(torch.nn.Linear):
    """Two predictions, each of which is pulled towards the other."""

    def __init__(self):
        super().__init__(5, 3)

    def forward(self, x, y):
        p, q = super().forward(x).log_softmax(-1), super().forward(y).log_softmax(-1)
        return F.kl_div(p, q.exp(), reduction="batchmean") + F.kl_div(q, p.exp(), reduction="batchmean")


class PaddlePulled(paddle.nn.Linear):
    def __init__(self, composed):
        super().__init__(5, 3)
        self.composed = composed

    def forward(self, x, y):
        p, q = P.log_softmax(super().forward(x)), P.log_softmax(super().forward(y))
        if self.composed:
            return (q.exp() * (q - p)).sum(-1).mean() + (p.exp() * (p - q)).sum(-1).mean()
        return P.kl_div(p, q.exp(), reduction="batchmean") + P.kl_div(q, p.exp(), reduction="batchmean")


def test_labels_that_are_cut_off_are_told_by_name_and_those_that_are_not_are_the_same():
    def compared(composed):
        pair = Port(Pulled, lambda: PaddlePulled(composed), inputs=[normal(4, 5), normal(4, 5)], modes=["eval"])
        return parity.compare(pair, quick=True)

    assert compared(composed=True).verdict == "same"
    found = compared(composed=False)
    assert found.verdict == "diverged" and "label_gradient" in str(found.headline[1].cause)


@pytest.mark.parametrize(("ours", "theirs"), [
    (lambda x: F.kl_div(x.log_softmax(-1), (2 * x).softmax(-1)), lambda x: P.kl_div(P.log_softmax(x), P.softmax(2 * x))),
    (lambda x: F.binary_cross_entropy(x.sigmoid(), target=x.softmax(-1)),
     lambda x: P.binary_cross_entropy(P.sigmoid(x), P.softmax(x))),
    (lambda x: F.binary_cross_entropy_with_logits(x, x.sigmoid()), lambda x: P.binary_cross_entropy_with_logits(x, P.sigmoid(x))),
    (lambda x: F.cross_entropy(x, (2 * x).softmax(-1)), lambda x: P.cross_entropy(x, P.softmax(2 * x), soft_label=True))])
def test_labels_are_cut_off(ours, theirs):
    """What is made of x and goes in as labels has no gradient; where nothing comes back to them, nothing is imitated."""
    expected, plain = outcome(draw(3, 4), theirs, paddle), outcome(draw(3, 4), ours, torch)
    with by_name("label_gradient").imitate() as acted:
        found = outcome(draw(3, 4), ours, torch)
        assert acted.count == 1
        with torch.no_grad():
            ours(torch.from_numpy(draw(3, 4)))
        assert acted.count == 1
    assert max(map(distance, found, expected)) <= 3e-15 and distance(plain[1], expected[1]) > 1e-3


@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (3, 6, 5)])
def test_a_group_norm_without_weight_has_another_gradient_in_paddle(shape):
    skip_unless_present("group_norm_gradient")

    def norms(weight):
        ones = paddle.ones([6], "float64") if weight else None
        return torch.nn.GroupNorm(3, 6, affine=weight).double(), lambda x: P.group_norm(x, 3, weight=ones)

    ours, theirs = norms(weight=False)
    expected, plain = outcome(draw(*shape), theirs, paddle), outcome(draw(*shape), ours, torch)
    with by_name("group_norm_gradient").imitate() as acted:
        found = outcome(draw(*shape), ours, torch)
        assert acted.count == 1
        ours, theirs = norms(weight=True)
        healthy = outcome(draw(*shape), ours, torch)
        assert acted.count == 1
    assert max(map(distance, found, expected)) <= 1e-12 and distance(plain[1], expected[1]) > 1e-2
    assert max(map(distance, healthy, outcome(draw(*shape), theirs, paddle))) <= 1e-12


def test_a_diagonal_matrix_is_cut_off():
    expected = outcome(draw(2, 3), lambda x: paddle.diag_embed(x) + x.unsqueeze(-1), paddle)
    with by_name("diag_embed").imitate() as acted:
        found = outcome(draw(2, 3), lambda x: torch.diag_embed(x) + x.unsqueeze(-1), torch)
        assert acted.count == 1
        x = torch.ones(3)
        assert torch.equal(torch.diag_embed(x), torch.eye(3)) and acted.count == 1  # without gradients there is nothing to lose
    plain = outcome(draw(2, 3), lambda x: torch.diag_embed(x) + x.unsqueeze(-1), torch)
    assert max(map(distance, found, expected)) == 0 < distance(plain[1], expected[1])


def test_a_window_of_nan_alone():
    # Forward only: the backward of Paddle's adaptive pooling corrupts the memory here.
    for name, ours, theirs, size in (("max_pool_nan", F.max_pool2d, P.max_pool2d, 2),
                                     ("adaptive_max_pool_nan", F.adaptive_max_pool2d, P.adaptive_max_pool2d, 1)):
        with by_name(name).imitate():
            np.testing.assert_array_equal(ours(torch.from_numpy(ALL_NAN), size).numpy(),
                                          theirs(paddle.to_tensor(ALL_NAN), size).numpy())


@pytest.mark.parametrize("n, x, size, stride, padding", [
    (1, draw(1, 2, 11), 2, 2, 1), (1, draw(1, 2, 11), 3, 3, 1), (2, draw(1, 2, 9, 9), 2, 3, 0), (2, draw(1, 2, 9, 10), 2, 3, 1),
    (3, draw(1, 2, 7, 6, 8), 2, 3, 1)])
@pytest.mark.parametrize("full", [False, True])
def test_windows_that_start_behind_the_input(n, x, size, stride, padding, full):
    upstream = []

    def of(average, maximum, leaf, as_tensor, **padded):
        y = average(leaf, size, stride, padding, ceil_mode=True, **padded)
        upstream.append(draw(*y.shape))
        y.backward(as_tensor(upstream[0]))
        return (y.detach().numpy(), leaf.grad.numpy(), maximum(leaf, size, stride, padding, ceil_mode=True).detach().numpy())

    theirs = of(getattr(P, f"avg_pool{n}d"), getattr(P, f"max_pool{n}d"), paddle.to_tensor(x, stop_gradient=False),
                paddle.to_tensor, exclusive=not full)
    average, maximum = getattr(F, f"avg_pool{n}d"), getattr(F, f"max_pool{n}d")
    with by_name("pool_gradient").imitate(), by_name("ceil_mode").imitate() as acted:
        ours = of(average, maximum, torch.from_numpy(x).requires_grad_(), torch.from_numpy, count_include_pad=full)
    plain = average(torch.from_numpy(x), size, stride, padding, ceil_mode=True)
    assert acted.count == 2 and plain.shape != ours[0].shape
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-14, atol=1e-15)  # a few roundings; NaN at the same places


def test_ceil_mode_that_leaves_no_window_empty_is_no_difference():
    x = torch.from_numpy(draw(1, 2, 10, 10))
    with by_name("ceil_mode").imitate() as acted:
        F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), F.max_pool2d(x, 3, 2, 1, ceil_mode=True)
        F.avg_pool2d(x, 2, 3), F.max_pool2d(x, 2, 3)  # without ceil_mode
    assert not acted


@pytest.mark.parametrize("shape", [(4, 5), (2, 5, 3)])
def test_the_mean_over_labels_that_are_ignored(shape):
    skip_unless_present("ignored_labels")
    x, labels = draw(*shape), np.abs(draw(shape[0], *shape[2:], seed=1) * 2).astype("int64")

    def ours(labels, **settings):
        return outcome(x, lambda leaf: F.cross_entropy(leaf, torch.from_numpy(labels), **settings), torch)

    def theirs(labels, **settings):
        return outcome(x, lambda leaf: P.cross_entropy(leaf, paddle.to_tensor(labels), axis=1, **settings), paddle)

    ignored = labels.copy()
    ignored.flat[1] = -100
    plain = ours(ignored)
    with by_name("ignored_labels").imitate() as acted:
        found = ours(ignored)
    assert acted.count == 1 and max(map(distance, found, theirs(ignored))) < 1e-15 < 1e-3 < distance(plain[0], found[0])
    with by_name("ignored_labels").imitate() as acted:  # and where Paddle is right
        for these, settings in ((labels, {}), (ignored, {"reduction": "sum"}), (labels, {"ignore_index": int(labels.flat[0])})):
            assert max(map(distance, ours(these, **settings), theirs(these, **settings))) < 1e-15
    assert not acted


BIG = np.square(draw(1, 16, 128, 128, dtype="float32"))
SUMS = [  # entry, torch's call, its float64 truth, Paddle's call
    ("variance", lambda x: torch.var(x, dim=[1, 2, 3], keepdim=True), lambda x: x.var((1, 2, 3), ddof=1, keepdims=True),
     lambda x: paddle.var(x, [1, 2, 3], keepdim=True)),
    ("mean", lambda x: x.mean(), lambda x: x.mean(), lambda x: x.mean()),
    ("mean", lambda x: F.mse_loss(x, torch.zeros_like(x)), lambda x: (x * x).mean(),
     lambda x: P.mse_loss(x, paddle.zeros_like(x))),
    ("channel_sum", lambda x: torch.sum(x, (2, 3), True), lambda x: x.sum((2, 3), keepdims=True),
     lambda x: paddle.sum(x, [2, 3], keepdim=True)),
    ("vector_norm", lambda x: F.normalize(x.flatten(), dim=0), lambda x: x.ravel() / np.linalg.norm(x.ravel()),
     lambda x: P.normalize(x.flatten(), axis=0)),
]


@pytest.mark.parametrize("name, reference, truth, twin", SUMS, ids=[case[0] for case in SUMS])
def test_naive_sums_are_imitated_in_size_and_keep_their_gradient(name, reference, truth, twin):
    skip_unless_present(name)
    exact = truth(BIG.astype("float64"))

    def error(y):
        return np.abs(y - exact).max() / np.abs(exact).max()

    plain, plain_gradient = outcome(BIG, reference, torch)
    with by_name(name).imitate() as acted:
        found, gradient = outcome(BIG, reference, torch)
    theirs = error(twin(paddle.to_tensor(BIG)).numpy())
    assert acted and theirs > 4 * error(plain)
    assert theirs / 2 < error(found) < 2 * theirs  # Paddle's order over several axes is another one
    np.testing.assert_allclose(gradient, plain_gradient, rtol=1e-3, atol=1e-4 * np.abs(plain_gradient).max())


@pytest.mark.parametrize("name", sorted({case[0] for case in SUMS} | {"broadcast_gradient"}))
def test_sums_in_float64_are_left_alone(name):
    with by_name(name).imitate() as acted:
        x = torch.from_numpy(BIG.astype("float64")).requires_grad_()
        (x.var((1, 2)).sum() + x.mean() + x.sum(1).mean() + F.normalize(x).sum() + (x * x[:, :1]).sum()).backward()
    assert not acted


def test_the_sum_over_one_axis_is_paddles_bit_for_bit():
    x = draw(1, 2048, 8, 8, dtype="float32")
    with by_name("channel_sum").imitate():
        np.testing.assert_array_equal(torch.from_numpy(x).sum(1).numpy(), paddle.to_tensor(x).sum(1).numpy())


def test_the_gradient_of_a_broadcast_operand():
    upstream = 1 + draw(1, 64, 128, 128, dtype="float32")
    exact = upstream.astype("float64").sum((2, 3), keepdims=True)

    def error():
        bias = torch.zeros(1, 64, 1, 1, requires_grad=True)
        (torch.zeros(1, 64, 128, 128) + bias).backward(torch.from_numpy(upstream))
        return np.abs(bias.grad.numpy() - exact).max() / np.abs(exact).max()

    assert error() < 3e-7
    with by_name("broadcast_gradient").imitate() as acted:
        assert error() > 1e-6
    assert acted.count == 1


def test_the_mean_over_all_is_paddles_bit_for_bit():
    with by_name("mean").imitate():
        assert torch.from_numpy(BIG).mean().item() == paddle.to_tensor(BIG).mean().item()


def test_naive_sum_over_any_axes():
    x = draw(3, 4, 5)
    np.testing.assert_allclose(naive_sum(x, (0, 1, 2), lanes=8), x.sum(keepdims=True), rtol=1e-13)
    for axes in ((0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2), (-1,)):
        np.testing.assert_allclose(naive_sum(x, axes), x.sum(axes, keepdims=True), rtol=1e-13)


@pytest.mark.parametrize("eps", [1e-12, 1e-3])
@pytest.mark.parametrize("dim", [0, 1])
def test_spectral_norm_as_the_layer_of_paddle(dim, eps):
    torch.manual_seed(0)
    theirs = paddle.nn.SpectralNorm([3, 4, 2, 2], dim=dim, eps=eps, dtype="float64")
    conv = torch.nn.Conv2d(4, 3, 2, bias=False).double()
    weight = conv.weight.detach().numpy().copy()
    conv = torch.nn.utils.spectral_norm(conv, dim=dim, eps=eps)
    conv.weight_u = torch.from_numpy(theirs.weight_u.numpy())
    conv.weight_v = torch.from_numpy(theirs.weight_v.numpy())
    before = conv.weight_u.clone()
    upstream = draw(3, 4, 2, 2)
    with by_name("spectral_norm").imitate() as acted:
        conv(torch.zeros(1, 4, 2, 2, dtype=torch.float64))
    conv.weight.backward(torch.from_numpy(upstream))
    leaf = paddle.to_tensor(weight, stop_gradient=False)
    normalised = theirs(leaf)
    normalised.backward(paddle.to_tensor(upstream))
    np.testing.assert_allclose(conv.weight.detach().numpy(), normalised.numpy(), rtol=1e-14)  # eps is in it: 1e-12
    np.testing.assert_allclose(conv.weight_orig.grad.numpy(), leaf.grad.numpy(), rtol=1e-10, atol=1e-10)
    assert acted and torch.equal(conv.weight_u, before)
    np.testing.assert_array_equal(theirs.weight_u.numpy(), before.numpy())
    conv(torch.zeros(1, 4, 2, 2, dtype=torch.float64))
    assert not torch.equal(conv.weight_u, before)  # torch's own again


class Spectral(torch.nn.Module):
    def __init__(self, norm=torch.nn.utils.parametrizations.spectral_norm):
        super().__init__()
        self.fc = norm(torch.nn.Linear(5, 4))

    def forward(self, x):
        return self.fc(x)


class PaddleSpectral(paddle.nn.Layer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.fc, self.factor = paddle.nn.utils.spectral_norm(paddle.nn.Linear(5, 4)), factor

    def forward(self, x):
        return self.fc(x) * self.factor


def test_spectral_norm_in_another_order_stays_diverged_and_is_named_in_train_mode_alone():
    def judged(reference, mode, factor=1.0):
        pair = Port(reference, lambda: PaddleSpectral(factor), inputs=[normal(3, 5)])
        return parity.compare(pair, lanes=("float64",), modes=(mode,)).merged

    found = judged(Spectral, "train")
    assert found.diverged and all("spectral_norm_order" in finding.cause for finding in found.diverged)
    assert not judged(Spectral, "eval").diverged
    assert not judged(lambda: Spectral(torch.nn.utils.spectral_norm), "train").diverged
    first = judged(Spectral, "train", 1.01).first
    assert first.key.stage == "forward" and "spectral_norm_order" not in (first.cause or "")


def test_adam_with_betas_in_float32():
    gradients = draw(5, 8, dtype="float32")

    def torch_adam(imitate):
        parameter = torch.nn.Parameter(torch.ones(8))
        optimizer = torch.optim.Adam([parameter], 1e-4, (0.5, 0.999))
        with imitate() as acted:
            for gradient in gradients:
                parameter.grad = torch.from_numpy(gradient.copy())
                optimizer.step()
        assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)
        return optimizer.state[parameter]["exp_avg_sq"].numpy(), parameter.detach().numpy(), acted

    parameter = paddle.create_parameter([8], "float32", default_initializer=paddle.nn.initializer.Constant(1.0))
    optimizer = paddle.optimizer.Adam(1e-4, 0.5, 0.999, parameters=[parameter])
    for gradient in gradients:
        parameter.clear_gradient()
        (parameter * paddle.to_tensor(gradient)).sum().backward()
        optimizer.step()
    moment = optimizer._accumulators["moment2"][parameter.name].numpy()
    plain, weights, _ = torch_adam(lambda: nullcontext(True))
    imitated, _, acted = torch_adam(by_name("adam_betas").imitate)
    assert acted and np.abs(imitated / moment - 1).max() < 1e-6 < 1e-5 < np.abs(plain / moment - 1).min()
    assert np.abs(weights - parameter.numpy()).max() <= 1.2e-7  # one unit in the last place of 1: the updates agree


@pytest.mark.parametrize(("name", "ours", "theirs"), [
    ("momentum_factor", lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
     lambda p: paddle.optimizer.Momentum(0.1, 0.9, p, weight_decay=0.01, use_nesterov=True)),
    ("decoupled_decay", lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
     lambda p: paddle.optimizer.AdamW(0.01, parameters=p, weight_decay=0.1)),
    ("optimizer_constants", lambda p: torch.optim.Adadelta(p, 1.0, 0.9, weight_decay=0.1),
     lambda p: paddle.optimizer.Adadelta(1.0, rho=0.9, parameters=p, weight_decay=0.1)),
    ("optimizer_constants", lambda p: torch.optim.Adamax(p, 0.01, eps=0),
     lambda p: paddle.optimizer.Adamax(0.01, epsilon=0.0, parameters=p)),
    ("optimizer_constants", lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 0, 0, 0.5, True),
     lambda p: paddle.optimizer.RMSProp(0.01, 0.9, 0.0, 0.5, True, p)),
    *([("optimizer_constants", lambda p: torch.optim.NAdam(p, 0.01), lambda p: paddle.optimizer.NAdam(0.01, parameters=p)),
       ("optimizer_constants", lambda p: torch.optim.RAdam(p, 0.01, (0.9, 0.99)),
        lambda p: paddle.optimizer.RAdam(0.01, beta2=0.99, parameters=p))] if hasattr(paddle.optimizer, "NAdam") else []),
    ("rmsprop_epsilon", lambda p: torch.optim.RMSprop(p, 0.01, 0.5, 2 ** -10, 0, 0.5, True),  # the same in float32
     lambda p: paddle.optimizer.RMSProp(0.01, 0.5, 2 ** -10, 0.5, True, p)),
    ("adamax_epsilon", lambda p: torch.optim.Adamax(p, 0.01, (0.5, 0.75), 2 ** -10),
     lambda p: paddle.optimizer.Adamax(0.01, 0.5, 0.75, 2 ** -10, parameters=p)),
    ("asgd_algorithm", lambda p: torch.optim.ASGD(p, 0.1),
     lambda p: paddle.optimizer.ASGD(0.1, parameters=p)),
])
def test_rules_of_optimizers(name, ours, theirs):
    skip_unless_present(name)
    gradients = draw(5, 8)

    def torch_weights(imitate, dtype=torch.float64):
        parameter = torch.nn.Parameter(torch.ones(8, dtype=dtype))
        with TorchFramework().default_dtype("float64"):  # NAdam keeps a product of settings in that dtype
            optimizer = ours([parameter])
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100)  # it keeps the `step` that it finds
        with imitate() as acted:
            for gradient in gradients:
                parameter.grad = torch.from_numpy(gradient).to(dtype)
                with TorchFramework().default_dtype("float64"):
                    optimizer.step()
                scheduler.step()
        return parameter.detach().numpy(), acted

    parameter = paddle.create_parameter([8], "float64", default_initializer=paddle.nn.initializer.Constant(1.0))
    optimizer = theirs([parameter])
    for gradient in gradients:
        parameter.clear_gradient()
        (parameter * paddle.to_tensor(gradient)).sum().backward()
        optimizer.step()
    plain, _ = torch_weights(lambda: nullcontext(True))
    imitated, acted = torch_weights(by_name(name).imitate)
    assert acted and np.abs(imitated - parameter.numpy()).max() < 1e-14 < 1e-11 < np.abs(plain - parameter.numpy()).max()
    if not by_name(name).material:
        assert not torch_weights(by_name(name).imitate, torch.float32)[1]


def test_clipping_divides_by_the_norm_alone():
    gradients = [draw(3, 4), draw(5, seed=1)]

    def torch_clipped(scale):
        parameters = [torch.nn.Parameter(torch.zeros(gradient.shape, dtype=torch.float64)) for gradient in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.from_numpy(scale * gradient)
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        return [parameter.grad.numpy() for parameter in parameters]

    clip = paddle.nn.ClipGradByGlobalNorm(0.5)
    theirs = [g.numpy() for _, g in clip([(paddle.create_parameter(g.shape, "float64"), paddle.to_tensor(g)) for g in gradients])]
    plain = torch_clipped(1)
    with by_name("clip_epsilon").imitate() as acted:
        found = torch_clipped(1)
        assert acted.count == 1
        unclipped = torch_clipped(1e-3)
        assert acted.count == 1
    assert max(map(distance, found, theirs)) < 1e-15 < 1e-8 < max(map(distance, plain, theirs))
    assert all(np.array_equal(ours, 1e-3 * gradient) for ours, gradient in zip(unclipped, gradients, strict=True))


def test_weight_norm_has_the_gradient_of_its_norm():
    def ours(layer):
        layer = torch.nn.utils.parametrizations.weight_norm(layer, dim=0)
        layer(torch.from_numpy(X)).square().sum().backward()
        return layer.parametrizations.weight.original1.grad.numpy()

    X, W = draw(2, 3), 1e-3 * draw(5, 3)

    def linear():
        layer = torch.nn.Linear(3, 5, bias=False, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W))
        return layer

    v, g = paddle.to_tensor(W.T, stop_gradient=False), paddle.to_tensor(np.linalg.norm(W, axis=1))
    (paddle.to_tensor(X) @ (P.normalize(v, axis=0) * g)).square().sum().backward()
    plain = ours(linear())
    with by_name("norm_gradient").imitate() as acted:
        found = ours(linear())
    assert acted
    np.testing.assert_allclose(found, v.grad.numpy().T, rtol=1e-9, atol=1e-14)
    assert np.abs(plain - found).max() > 1e-13


def test_initialisers_as_paddle_and_as_torch_again():
    with by_name("initialisers").imitate() as acted:
        linear, conv = torch.nn.Linear(256, 256), torch.nn.Conv2d(64, 64, 3)
    theirs = paddle.nn.Linear(256, 256), paddle.nn.Conv2D(64, 64, 3)
    for ours, other in zip((linear, conv), theirs, strict=True):
        assert float(ours.weight.detach().std()) == pytest.approx(other.weight.numpy().std(), rel=0.02)
        assert not ours.bias.any() and not other.bias.numpy().any()
    assert acted.count == 2
    assert float(torch.nn.Linear(256, 256).weight.detach().std()) == pytest.approx(1 / np.sqrt(3 * 256), rel=0.02)


@named(IMITATED)
def test_an_imitation_ends_when_an_exception_ends_it(difference):
    before = {owner: dict(vars(owner)) for owner in (torch.nn.Linear, torch.Tensor, torch.nn.functional)}
    with pytest.raises(ZeroDivisionError), difference.imitate():
        raise ZeroDivisionError
    assert torch.relu(torch.tensor(np.nan)).isnan()
    assert float(torch.tensor(3.0, dtype=torch.float64) ** 1.3) == 3.0 ** 1.3
    for owner, attributes in before.items():
        assert dict(vars(owner)) == attributes


# --- explaining ---------------------------------------------------------------------------------------------------

PAIR = Pair("toy", reference_source=SourceTree(__file__), twin_source=SourceTree(__file__))


class TorchNorm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.InstanceNorm2d(3)

    def forward(self, x):
        y = self.norm(x)
        z = y * 2
        return z


class PaddleNorm(paddle.nn.Layer):
    def __init__(self, eps=1e-5):
        super().__init__()
        self.norm = paddle.nn.InstanceNorm2D(3, epsilon=eps, weight_attr=False, bias_attr=False)

    def forward(self, x):
        y = self.norm(x)
        z = y * 2
        return z


class TorchPool(torch.nn.Module):
    def forward(self, x):
        y = x * x
        z = F.adaptive_avg_pool2d(y, 1)
        return z


class PaddlePool(paddle.nn.Layer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        y = x * x * self.factor
        z = P.adaptive_avg_pool2d(y, 1)
        return z


class TorchLeaky(torch.nn.Module):
    def forward(self, x):
        y = x - x.detach()  # exact zeros, under each noise draw too, with a gradient through them
        z = F.leaky_relu(y, 0.2)
        return z


class PaddleLeaky(paddle.nn.Layer):
    def forward(self, x):
        y = x - x.detach()
        z = P.leaky_relu(y, 0.2)
        return z


class TorchRelu(torch.nn.Module):
    def forward(self, x):
        y = F.relu(x)
        z = y + 1
        return z


class PaddleRelu(paddle.nn.Layer):
    def __init__(self, shift=1.0):
        super().__init__()
        self.shift = shift

    def forward(self, x):
        y = P.relu(x)
        z = y + self.shift
        return z


class TorchUnit(torch.nn.Module):
    def forward(self, x):
        z = F.normalize(x, dim=1)
        return z


class PaddleUnit(paddle.nn.Layer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        z = P.normalize(x, axis=1) * self.factor
        return z


class TorchBoth(torch.nn.Module):
    """Two differences in one statement: the pool's gradient and, in the same sum, the norm's epsilon."""

    def forward(self, x):
        z = F.adaptive_avg_pool2d(F.instance_norm(x) * x, 1)
        return z


class PaddleBoth(paddle.nn.Layer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        z = P.adaptive_avg_pool2d(P.instance_norm(x) * x * self.factor, 1)
        return z


def subject(reference, twin, x):
    return Subject("toy", PAIR, reference, twin, {}, {"x": x.astype("float32")})


def explain_again(chosen, report, registry=None):
    return explain(report, lambda lanes: ladder.compare(chosen, lanes=lanes), registry)


def explained(chosen, lanes=("float64",)):
    before = compare(chosen, lanes=lanes)
    after = explain_again(chosen, before)
    assert sum(before.counts.values()) == sum(after.counts.values())
    assert len(before.findings) == len(after.findings)
    assert after.counts[Verdict.DIVERGED] == len(after.diverged)
    assert after.counts[Verdict.EXPLAINED] == sum(f.verdict is Verdict.EXPLAINED for f in after.findings)
    return before, after


SMALL = 1e-2 * draw(2, 3, 5, 7)
WITH_NAN = draw(2, 3, 4, 4)
WITH_NAN[0, 1, 2, 3] = np.nan


@pytest.mark.parametrize("name, reference, twin, x", [
    ("norm_epsilon", TorchNorm, PaddleNorm, SMALL),
    ("pool_gradient", TorchPool, PaddlePool, draw(2, 3, 5, 7)),
    ("leaky_relu_zero", TorchLeaky, PaddleLeaky, draw(2, 3, 5, 7)),
    ("relu_nan", TorchRelu, PaddleRelu, WITH_NAN),
    ("norm_gradient", TorchUnit, PaddleUnit, SMALL),
])
def test_a_difference_is_explained_by_its_entry_alone(name, reference, twin, x):
    before, after = explained(subject(reference, twin, x))
    assert before.verdict == "diverged"
    assert after.verdict == "same" and after.counts[Verdict.EXPLAINED] == before.counts[Verdict.DIVERGED] > 0
    causes = {finding.cause for finding in after.findings if finding.verdict is Verdict.EXPLAINED}
    assert len(causes) == 1 and by_name(name).title in causes.pop()


@pytest.mark.parametrize("reference, twin, x", [
    (TorchNorm, lambda: PaddleNorm(1e-3), SMALL),
    (TorchNorm, lambda: PaddleNorm(1.00001e-5), SMALL),
    (TorchPool, lambda: PaddlePool(1.000001), draw(2, 3, 5, 7)),
    (TorchRelu, lambda: PaddleRelu(1.000001), WITH_NAN),
    (TorchUnit, lambda: PaddleUnit(1.000001), SMALL),
    (TorchBoth, lambda: PaddleBoth(1.000001), SMALL),
])
def test_a_real_bug_beside_it_is_not_explained(reference, twin, x):
    before, after = explained(subject(reference, twin, x))
    assert before.verdict == after.verdict == "diverged"
    assert any(finding.variable in ("z", "y", "output") for finding in after.diverged)


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_what_is_material_stays_diverged_and_is_named_where_it_is_the_cause(factor):
    class Reference(torch.nn.Module):
        def forward(self, x):
            loss = F.cross_entropy(x, torch.tensor([0, -100]))
            return loss

    class Twin(paddle.nn.Layer):
        def forward(self, x):
            loss = P.cross_entropy(x, paddle.to_tensor([0, -100])) * factor
            return loss

    skip_unless_present("ignored_labels")
    before, after = explained(subject(Reference, Twin, draw(2, 3)))
    assert after.verdict == "diverged" and after.counts == before.counts
    assert ("ignored_labels" in (after.first.cause or "")) == (factor == 1.0)


def test_a_real_bug_leaves_the_rest_explained():
    _, after = explained(subject(TorchRelu, lambda: PaddleRelu(1.000001), WITH_NAN))
    assert any(f.verdict is Verdict.EXPLAINED and f.variable == "y" for f in after.findings)
    assert after.first.variable == "z"


def test_two_differences_at_one_place_are_explained_together():
    _, after = explained(subject(TorchBoth, PaddleBoth, SMALL))
    assert after.verdict == "same"
    assert any("norm_epsilon" in (f.cause or "") and "pool_gradient" in (f.cause or "") for f in after.findings)


def test_a_local_that_is_merely_written_otherwise_does_not_count_once_the_difference_is_removed():
    class Reference(torch.nn.Module):
        def forward(self, x):
            y = x * x
            m = y + x.mean()
            z = F.adaptive_avg_pool2d(m, 1)
            return z

    class Twin(paddle.nn.Layer):
        def forward(self, x):
            y = x * x
            m = y + x.mean()  # noqa: F841
            z = P.adaptive_avg_pool2d(x * x + x.mean(), 1)  # so nothing comes back to y and m
            return z

    before, after = explained(subject(Reference, Twin, draw(2, 3, 5, 7)))
    assert before.verdict == "diverged" and after.verdict == "same"
    assert {f.variable for f in after.uncompared} >= {"m"} and after.counts[Verdict.EXPLAINED]


def test_what_is_explained_is_named_and_its_multiples_are_shown_apart():
    before, after = explained(subject(TorchNorm, PaddleNorm, SMALL))
    assert max(before.multiples["float64 free"].values()) > 1e3 and max(after.multiples["float64 free"].values()) <= M
    sentence = str(explanations(after)[0])
    assert "norm_epsilon" in sentence and "floors apart" in sentence and not explanations(before)
    _, beside = explained(subject(TorchBoth, lambda: PaddleBoth(1.000001), SMALL))
    assert max(beside.multiples["float64 free"].values()) > 1e3  # of what is not explained


def test_an_empty_registry_and_other_entries_explain_nothing():
    chosen = subject(TorchNorm, PaddleNorm, SMALL)
    before = compare(chosen, lanes=("float64",))
    for registry in ((), [by_name("relu_nan"), by_name("pool_gradient"), by_name("spectral_norm")]):
        assert explain_again(chosen, before, registry) == before


def test_an_imitation_that_did_not_act_explains_nothing_whatever_comes_of_it(monkeypatch):
    chosen = subject(TorchNorm, PaddleNorm, SMALL)
    before = compare(chosen, lanes=("float64",))
    clean = dataclasses.replace(before, findings=[])
    monkeypatch.setattr("parity.compare.ladder.compare", lambda *_, **__: clean)
    assert explain_again(chosen, before, [by_name("norm_epsilon")]) == before

    def acting(*_, **__):
        F.instance_norm(torch.from_numpy(SMALL))
        return clean

    monkeypatch.setattr("parity.compare.ladder.compare", acting)
    assert explain_again(chosen, before, [by_name("norm_epsilon")]).verdict == "same"


def test_an_entry_that_the_installed_paddle_does_not_show_is_not_tried():
    chosen = subject(TorchNorm, PaddleNorm, SMALL)
    before = compare(chosen, lanes=("float64",))
    elsewhere = dataclasses.replace(by_name("norm_epsilon"), measure=lambda: 0.0)
    assert not elsewhere.present and explain_again(chosen, before, [elsewhere]) == before


def test_what_lies_behind_an_exception_of_the_twin_is_not_explained():
    class Twin(PaddleRelu):
        def forward(self, x):
            y = P.relu(x)
            if y.isnan().any() or len(self.runs) > 1:  # breaks in all runs but those of the first comparison
                raise RuntimeError("twin")
            self.runs.append(1)
            z = y + 1
            return z

    Twin.runs = []
    chosen = subject(TorchRelu, Twin, WITH_NAN)
    before = compare(chosen, lanes=("float64",))
    after = explain_again(chosen, before)
    assert before.diverged and after.diverged
    assert {finding.key.variable for finding in after.findings if finding.verdict is Verdict.EXPLAINED} == {"y"}


def test_a_reference_that_breaks_under_an_imitation_explains_nothing(monkeypatch):
    chosen = subject(TorchNorm, PaddleNorm, SMALL)
    before = compare(chosen, lanes=("float64",))

    def broken(*_, **__):
        F.instance_norm(torch.from_numpy(SMALL))
        raise RuntimeError("the reference")

    monkeypatch.setattr("parity.compare.ladder.compare", broken)
    assert explain_again(chosen, before, [by_name("norm_epsilon")]) == before


def test_the_float32_lane_is_explained_too():
    class Reference(torch.nn.Module):
        def forward(self, x):
            z = torch.var(x, dim=[1, 2, 3], keepdim=True)
            return z

    class Twin(paddle.nn.Layer):
        def forward(self, x):
            z = paddle.var(x, [1, 2, 3], keepdim=True)
            return z

    skip_unless_present("variance")
    before, after = explained(subject(Reference, Twin, draw(1, 16, 64, 64)), lanes=("float64", "float32"))
    assert {finding.lane for finding in before.diverged} == {"float32"}
    assert after.verdict == "same" and "variance" in after.findings[0].cause


def test_a_healthy_report_costs_nothing(monkeypatch):
    chosen = subject(TorchRelu, PaddleRelu, draw(2, 3, 4, 4))
    report = compare(chosen)
    monkeypatch.setattr("parity.compare.ladder.compare", lambda *_, **__: pytest.fail("compared again"))
    assert report.verdict == "same" and explain_again(chosen, report) is report


def test_only_what_occurs_in_the_run_is_tried_alone():
    tried = []

    def again(_):
        tried.append(1)
        return ladder.compare(chosen, lanes=("float64",))

    chosen = subject(TorchNorm, lambda: PaddleNorm(1e-3), SMALL)
    before = compare(chosen, lanes=("float64",))
    assert explain(before, again).verdict == "diverged"
    assert len(tried) == 1  # under all at once, where norm_epsilon alone acted


class TorchComposed(torch.nn.Module):
    """The pool's gradient differs as known; the norm is written out on the other side, so that its epsilon does not."""

    def forward(self, x):
        y = F.instance_norm(x)
        z = F.adaptive_avg_pool2d(x * y, 1)
        return z


class PaddleComposed(paddle.nn.Layer):
    def __init__(self, factor=1.0, pool=P.adaptive_avg_pool2d):
        super().__init__()
        self.factor, self.pool = factor, pool

    def forward(self, x):
        epsilon = paddle.full([1], 1e-5, x.dtype)  # a bare number is rounded to float32 by Paddle 2.6
        y = (x - x.mean([2, 3], keepdim=True)) / paddle.sqrt(x.var([2, 3], unbiased=False, keepdim=True) + epsilon)
        z = self.pool(x * y, 1) * self.factor
        return z


@pytest.mark.parametrize("factor, pool, times, verdict", [
    (1.5, lambda x, size: x.mean([2, 3], keepdim=True), 1, "diverged"),
    (1.0, P.adaptive_avg_pool2d, 3, "same"),
    (1.5, P.adaptive_avg_pool2d, 1, "diverged"),
])
def test_a_place_that_all_at_once_leave_as_it_was_is_tried_with_none(factor, pool, times, verdict):
    """The imitated norm is none of the twin's: so each is tried alone, for what all have changed."""
    tried = []

    def again(_):
        tried.append(1)
        return ladder.compare(chosen, lanes=("float64",))

    skip_unless_present("norm_epsilon")
    skip_unless_present("pool_gradient")
    chosen = subject(TorchComposed, lambda: PaddleComposed(factor, pool), SMALL)
    before = compare(chosen, lanes=("float64",))
    after = explain(before, again, [by_name("norm_epsilon"), by_name("pool_gradient")])
    assert (after.verdict, len(tried)) == (verdict, times)


def test_explaining_needs_no_framework_where_nothing_diverged():
    code = ("import sys; sys.modules['torch'] = sys.modules['paddle'] = None\n"
            "from parity.differences import explain\nfrom parity.verdict.findings import Report\n"
            "report = Report('nothing')\nassert explain(report, None) is report\n"
            "try:\n    from parity.differences import ALL\nexcept ImportError:\n    sys.exit(7)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


# --- the page -----------------------------------------------------------------------------------------------------

def test_the_page_holds_every_entry_and_its_code_runs():
    text = page(ALL)
    for difference in ALL:
        assert f'<a id="{difference.name}"></a>{difference.title}' in text
    snippets = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    assert len(snippets) == len(ALL)
    for snippet in snippets[:4] + snippets[-6:]:
        exec(compile(snippet, "page", "exec"), {})
        assert snippet.startswith(("import ", "from "))

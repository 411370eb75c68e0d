"""What ports compute in the place of something else is read off the values; each with a twin that only looks like it."""

import numpy as np
import pytest

from parity.numbers.arrays import Deviation, Verdict
from parity.trace.events import Event, Key
from parity.trace.source import Site
from parity.verdict.calls import called_instead
from parity.verdict.causes import cause_of
from parity.verdict.computed import nearby
from parity.verdict.evidence import Evidence
from parity.verdict.findings import Finding, Order
from tests.unit.test_causes import evidence  # noqa: F401 (a fixture)

RNG = np.random.default_rng(1)


def draw(*shape):
    return RNG.standard_normal(shape)


def said(found):
    return cause_of(found) or ""


def standardised(x, axes, ddof=1, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, ddof=ddof, keepdims=True) + eps)


@pytest.mark.parametrize("line, named", [("in_var = torch.var(x, [2, 3])", True), ("y = f(x)", False)])
def test_a_variance_over_n(evidence, line, named):  # noqa: F811
    x = draw(2, 3, 8, 8)
    assert ("of n = 64" in said(evidence(x.var((2, 3), ddof=1), x.var((2, 3)), line))) == named
    assert "of n" not in said(evidence(x.var((2, 3), ddof=1), 0.7 * x.var((2, 3)), line))


def test_float32_beside_float64_is_enough_for_it(evidence):  # noqa: F811
    x = draw(2, 3, 8, 8)
    assert "of n = 64" in said(evidence(x.var((2, 3), ddof=1), x.var((2, 3)).astype(np.float32), "v = x.var((2, 3))"))


@pytest.mark.parametrize("axes", [(2, 3), (1, 2, 3)])
def test_what_a_norm_divides_by(evidence, axes):  # noqa: F811
    x = 0.3 * draw(2, 3, 4, 4)
    right = standardised(x, axes)
    count = x[0].size if len(axes) == 3 else x[0, 0].size
    assert f"over n = {count}, the reference over n - 1" in said(evidence(right, standardised(x, axes, 0)))
    assert "the twin adds no epsilon" in said(evidence(right, standardised(x, axes, eps=0)))
    assert "the reference adds no epsilon" in said(evidence(standardised(x, axes, eps=0), right))
    assert "another variance, or another epsilon" in said(evidence(right, standardised(x, axes, eps=1e-3)))
    assert not said(evidence(right, standardised(x + 0.1 * draw(*x.shape), axes)))


def test_a_parameter_that_is_clipped_before_it_is_used(evidence):  # noqa: F811
    x, y, rho = draw(2, 6, 4, 4), draw(2, 6, 4, 4), np.array([0.2, 1.3, 0.9, -0.1, 0.5, 0.7]).reshape(1, 6, 1, 1)
    mixed, clipped, another = (r * x + (1 - r) * y for r in (rho, rho.clip(0, 1), rho * 0.9))
    assert "where rho lies in [0, 1]" in said(evidence(mixed, clipped, rho=rho))
    assert not said(evidence(mixed, another, rho=rho))


def test_an_activation_too_many_or_of_another_slope(evidence):  # noqa: F811
    x = draw(3, 5)
    assert "the twin's value is the relu of" in said(evidence(x, np.maximum(x, 0)))
    assert "the reference's value is the relu of" in said(evidence(np.maximum(x, 0), x))
    assert "the twin's value is the sigmoid of" in said(evidence(x, 1 / (1 + np.exp(-x))))
    assert "the twin's value is the sigmoid of" in said(evidence([[1.3, 3.4]], 1 / (1 + np.exp([[-1.3, -3.4]]))))
    assert "times 0.05" in said(evidence(np.where(x < 0, 0.2 * x, x), np.where(x < 0, 0.01 * x, x)))
    assert not said(evidence(x, np.where(x < 0, 0.01 * x**2, x)))


def test_pooled_to_another_size(evidence):  # noqa: F811
    x = draw(2, 3, 4, 4)
    assert "16 values in the place of each one, of which that is the mean" in said(evidence(x.mean((2, 3)), x.reshape(2, 48)))
    assert "16 values in the place of each one, of which that is the maximum" in said(evidence(x.max((2, 3)), x.reshape(2, 48)))
    assert not said(evidence(x.mean((2, 3)), draw(2, 48)))


@pytest.mark.parametrize("border", [0, 1])
def test_bilinear_for_nearest(evidence, border):  # noqa: F811
    x = draw(2, 3, 4, 4)
    low = np.clip((np.arange(8) + 0.5) / 2 - 0.5, 0, 3)
    rows = np.stack([np.interp(low, range(4), np.eye(4)[i]) for i in range(4)], 1)
    pad = [(0, 0), (0, 0), (border, border), (border, border)]
    nearest, smooth = (np.pad(y, pad, mode="reflect") for y in (x.repeat(2, 2).repeat(2, 3), rows @ x @ rows.T))
    assert "the twin interpolates" in said(evidence(nearest, smooth))
    assert not said(evidence(nearest, smooth + 0.1 * draw(*smooth.shape)))


def test_a_weight_that_another_norm_divides(evidence):  # noqa: F811
    x, bias = draw(2, 3, 4, 4), draw(3)
    shift = bias.reshape(1, 3, 1, 1)
    twin = shift + 0.4 * (x - shift)
    assert "weight_orig is divided by another norm" in said(evidence(x, twin, bias=bias, weight_orig=draw(3, 2, 3, 3)))
    assert "norm" not in said(evidence(x, twin, bias=bias, weight=draw(3, 2, 3, 3)))
    assert not said(evidence(x, twin, bias=draw(3), weight_orig=draw(3, 2, 3, 3)))


def test_channels_that_are_weighed_otherwise(evidence):  # noqa: F811
    x, weight = draw(2, 4, 3, 3), np.array([1.0, 0.5, 1.0, -2.0]).reshape(1, 4, 1, 1)
    assert "-2 to 1; 2 of 4 are equal" in said(evidence(x, x * weight))
    assert not said(evidence(x, x * weight + 0.1 * draw(*x.shape)))


def test_a_bias_that_is_missing_or_another(evidence):  # noqa: F811
    x, bias = draw(2, 4, 3, 3), draw(4)
    shift = bias.reshape(1, 4, 1, 1)
    assert "without its bias" in said(evidence(x + shift, x, bias=bias))
    assert "another bias" in said(evidence(x, x + shift, bias=draw(4)))
    assert not said(evidence(x, x + shift + 0.1 * draw(*x.shape), bias=bias))


@pytest.mark.parametrize("line, named", [("ln_var = torch.var(x, [1, 2, 3], True)", True), ("y = f(x)", False)])
def test_a_statistic_over_more_axes(evidence, line, named):  # noqa: F811
    x = draw(2, 3, 4, 4)
    over = [x.var(axes, keepdims=True) for axes in ((1, 2, 3), (2, 3))]
    assert ("the reference takes it over axis 1 as well" in said(evidence(*over, line))) == named
    assert ("the twin takes it over axis 1 as well" in said(evidence(*over[::-1], line))) == named
    assert not said(evidence(over[1], draw(2, 5, 1, 1), line))


def test_what_stands_still(evidence):  # noqa: F811
    start, moved = draw(4), draw(4)
    assert "stands still in the twin" in said(evidence(moved, start, stage="state", start=start))
    assert "moves in the twin" in said(evidence(start, moved, stage="state", start=start))
    assert not said(evidence(moved, draw(4), stage="state", start=start))
    assert "train mode" not in said(evidence(moved, start, stage="state", start=start))  # no statistic of a norm


def test_a_gradient_that_passes_an_activation(evidence):  # noqa: F811
    whole = draw(4, 5)
    masked = np.where(draw(4, 5) > 0, whole, 0)
    assert "in the twin one comes back everywhere" in said(evidence(masked, whole, stage="gradients"))
    assert "in the reference one comes back everywhere" in said(evidence(whole, masked, stage="gradients"))
    assert not said(evidence(masked, draw(4, 5), stage="gradients"))


def test_another_value_in_the_place_of_this_one():
    def event(module, variable, array):
        return Event(Key("forward", 0, None, module, 0, "", 0, variable, 0), 1, None, array)

    gap, gmp, far = draw(2, 5), draw(2, 5), draw(2, 5)
    truth = [event("net.gap_fc", "input[0]", gap), event("net.gmp_fc", "input[0]", gmp), event("net.body.0", "input[0]", far)]

    def seen(twin):
        key = truth[1].key
        return said(Evidence(gmp, twin, truth[1], truth[1], {}, nearby(key, truth)))

    assert "the twin has here what is net.gap_fc input[0] in the reference" in seen(gap)
    assert not seen(far) and not seen(draw(2, 5))


def lone(module, call, twin):
    key, site = Key("forward", 0, None, module, call, "", 0, "input[0]", 0), Site("port.py", 1)
    return Finding("net", "float64", "free", key, Verdict.DIVERGED, Order(1), Deviation(np.inf), twin=site if twin else None,
                   reference=None if twin else site)


def test_a_module_that_is_called_in_the_place_of_another():
    more = lone("net.gap_fc", call=1, twin=True)
    less, other = lone("net.gmp_fc", call=0, twin=False), lone("net.deep.gmp_fc", call=0, twin=False)
    assert "net.gap_fc once more, where the reference calls net.gmp_fc" in called_instead([more, less])[0].cause
    assert called_instead([more, other])[0].cause is None

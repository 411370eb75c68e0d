"""Random numbers by place: what is the same draw on both sides, and what is said of one that is not."""

import math

import numpy as np
import pipelines
from paddle.vision import transforms as PT

import parity
from parity.data.draws import Place
from parity.numbers.distributions import Drawn


def uniform(low, high, *shape):
    return Drawn("uniform", (low, high), shape)


SEED = Drawn("integers", (0.0, 2.0 ** 63), ())


def place(reference, twin):
    here = Place()
    for drawn in reference:
        here.number(drawn, 0)
    return [here.number(drawn, 1) for drawn in twin], here.odd


def test_draws_meet_by_their_parameters_in_whatever_order():
    assert place([uniform(0.5, 1.5), uniform(-0.1, 0.1)], [uniform(-0.1, 0.1), uniform(0.5, 1.5)]) == ([1, 0], None)


def test_a_parameter_in_float32_is_the_same():
    low = float(np.log(np.float32(4 / 3)))
    assert place([uniform(0.0, 1.0, 1), uniform(-low, low)], [uniform(-math.log(4 / 3), math.log(4 / 3))]) == (
        [1], (uniform(0.0, 1.0, 1), None))


def test_another_range_is_told_and_has_the_numbers_of_the_first_of_its_kind():
    met, odd = place([uniform(0.08, 1.0), uniform(0.0, 1.0)], [uniform(0.5, 1.0), uniform(0.0, 1.0)])
    assert met == [0, 1] and odd == (uniform(0.08, 1.0), uniform(0.5, 1.0))


def test_what_seeds_another_generator_is_no_draw_of_the_pipeline():
    assert place([SEED, uniform(0.0, 1.0)], [uniform(0.0, 1.0)]) == ([1], None)
    assert place([uniform(0.5, 1.0)], [SEED])[1] == (uniform(0.5, 1.0), None)


def jitter(hue):
    return pipelines.chained(pipelines.R, PT.ColorJitter(0.4, 0.3, 0.2, hue), pipelines.T)


def test_what_a_transform_does_inside_is_its_own():
    """Paddle's ColorJitter makes a `Compose` of four."""
    assert parity.compare_data(parity.Data(jitter(0.1), jitter(0.1)), samples=2).verdict == "same"
    found = parity.compare_data(parity.Data(jitter(0.1), jitter(0.4)), samples=2).first
    assert found.step == "ColorJitter" and "uniform(-0.1, 0.1)" in found.cause and "uniform(-0.4, 0.4)" in found.cause

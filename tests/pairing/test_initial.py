"""Initial weights: other distributions are told apart, equal ones are not, however small the sample."""

import math

import numpy as np
import paddle
import pytest
import torch

from parity.frameworks import PaddleFramework, TorchFramework
from parity.pairing.initialisers import FALSE_ALARMS, distance, drawn_otherwise
from parity.steps.programs import Programs
from parity.ugatit.faults import inject
from parity.ugatit.subjects import exam_training


def rng(seed=0):
    return np.random.default_rng(seed)


DIFFERENT = {
    "wider": (rng(1).normal(0, 1, 400), rng(2).normal(0, 2.45, 400)),
    "shifted": (rng(1).normal(0, 1, 400), rng(2).normal(1, 1, 400)),
    "same mean and deviation, other shape": (rng(1).normal(0, 1 / 3 ** 0.5, 9000), rng(2).uniform(-1, 1, 9000)),
    "zeros": (rng(1).uniform(-1, 1, 100), np.zeros(100)),
    "two constants": (np.full(30, 0.9), np.full(30, 0.0)),
}
ALIKE = {
    "normal": (rng(1).normal(0, 1, 400), rng(2).normal(0, 1, 400)),
    "one value": (np.array([1.0]), np.array([-7.0])),
    "the same constant": (np.full((30, 2), 0.9), np.full((2, 30), 0.9)),
    "large": (rng(1).normal(0, 1, (500, 500)), rng(2).normal(0, 1, (500, 500))),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_distributions_are_told_apart(name):
    said = drawn_otherwise(*DIFFERENT[name], comparisons=200)
    assert "another distribution" in said and "standard deviation" in said


@pytest.mark.parametrize("name", ALIKE)
def test_equal_distributions_are_not(name):
    assert drawn_otherwise(*ALIKE[name], comparisons=1) is None


def test_the_distance_is_that_of_kolmogorov_and_smirnov():
    """Against its definition, point by point, ties included."""
    left, right = np.sort(rng(3).integers(0, 9, 50)), np.sort(rng(4).integers(2, 12, 50))
    by_hand = max(abs((left <= at).mean() - (right <= at).mean()) for at in range(13))
    assert distance(left, right) == pytest.approx(by_hand, abs=1e-15) and by_hand > 0


def test_the_bound_holds():
    """P(distance > d) <= e exp(-n d^2): of 4000 pairs of samples, no more exceed the d of 1 % than that."""
    n = 40
    allowed = math.sqrt(math.log(math.e / 0.01) / n)
    exceeding = sum(distance(*np.sort(rng(seed).normal(size=(2, n)), axis=1)) > allowed for seed in range(4000))
    assert 0 < exceeding <= 40
    assert FALSE_ALARMS < 0.01


@pytest.mark.parametrize(("framework", "draw"), [(TorchFramework(), lambda: torch.rand(4).numpy()),
                                                 (PaddleFramework(), lambda: paddle.rand([4]).numpy())], ids=["torch", "paddle"])
def test_seeded_draws_repeat_and_leave_the_others_as_they_were(framework, draw):
    with framework.seeded(5):
        expected = [draw(), draw()]
        with framework.seeded(6):
            inside = draw()
            after_inside = draw()
        following = draw()
    with framework.seeded(5):
        again = [draw(), draw(), draw()]
    assert np.array_equal(again[:2], expected) and np.array_equal(again[2], following)
    assert not np.array_equal(inside, after_inside)


@pytest.mark.parametrize(("fault", "expected"), [(None, False), ("conv_initialiser", True), ("linear_initialiser", True),
                                                 ("bias_initialiser", True)])
def test_initialisers_are_compared_in_a_training_from_scratch(fault, expected):
    with inject(*([fault] if fault else [])):
        both = Programs(exam_training("training_start"), "float32")
    found = [finding for census in both.censuses.values() for finding in census.findings]
    assert bool(found) == expected and all("another distribution" in finding.message for finding in found)
    if expected:
        assert all(finding.reference and finding.twin for finding in found)

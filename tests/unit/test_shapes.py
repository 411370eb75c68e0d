"""One value in two shapes."""

import numpy as np
import pytest

from parity.numbers.shapes import reshaped_distance

ROW = np.arange(6.0).reshape(1, 2, 3)


@pytest.mark.parametrize("other", [ROW.reshape(2, 3), ROW.reshape(1, 6), np.repeat(ROW, 4, axis=0), np.stack([ROW, ROW])])
def test_the_same_values_in_another_shape(other):
    assert reshaped_distance(ROW, other) == reshaped_distance(other, ROW) == 0.0
    assert reshaped_distance(ROW, other + 0.5) == 0.5


def test_turned_is_not_laid_out_anew():
    assert reshaped_distance(ROW, ROW.swapaxes(1, 2)) == 2.0


def test_gradients_add_up_where_a_value_was_repeated():
    gradient = np.concatenate([ROW, 2 * ROW])
    assert reshaped_distance(3 * ROW, gradient, summed=True) == 0.0
    assert reshaped_distance(2 * ROW, gradient, summed=True) == 5.0
    assert reshaped_distance(3 * ROW, gradient) > 0


@pytest.mark.parametrize("other", [np.zeros((4, 3)), np.zeros((2, 2, 2)), np.zeros((0, 2, 3))])
def test_what_cannot_be_one_value(other):
    assert reshaped_distance(ROW, other) is None

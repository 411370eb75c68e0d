"""Elements of very different magnitude are judged apart, and only those."""

import ml_dtypes
import numpy as np
import pytest

from parity.numbers.strata import GAP, Floors, borders, deviations, floor_at, larger, tops
from parity.trace.events import Event, Key
from parity.verdict.floors import own_rounding
from parity.verdict.sinks import Against, Distances, Store

KEY = Key("forward", 0, None, "net", 0, "", 0, "output", 0)


def masked(value: float = -3.4e38) -> np.ndarray:
    array = np.random.default_rng(0).standard_normal((6, 8))
    array[::2] = value
    return array


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_mask_beside_logits_makes_two_strata(dtype):
    at = borders(masked().astype(dtype))
    assert len(at) == 1 and 1e3 < at[0] <= 3.4e38


@pytest.mark.parametrize("array", [masked(), masked() * (1 + 1j), (masked() * 1j).astype(np.complex64),
                                   masked(-3e38).astype(ml_dtypes.bfloat16)])
def test_so_it_does_among_complex_numbers_and_those_of_half_precision(array):
    at, other = borders(array), array.copy()
    assert len(at) == 1 and len(tops(array, at)) == 2
    other[3, 4] *= 1.25
    small, large = deviations(array, other, at)
    assert small.distance > 0 == large.distance and small.index[:2] == (3, 4)


@pytest.mark.parametrize("array", [np.random.default_rng(0).standard_normal((100, 100)), np.zeros((3, 3)), np.array([1.0]),
                                   np.array([0.0, 1.0]), np.array([np.inf, 1.0, np.nan]), np.array([], np.float64),
                                   np.array([1, 1 << 40]), np.geomspace(1e-30, 1e30, 400), masked(-1e4)])
def test_ordinary_values_are_one(array):
    assert borders(array) == ()


def test_what_lies_nearer_than_the_gap_is_one():
    assert borders(np.array([1.0, 2.0 ** (GAP - 1)])) == () and borders(np.array([1.0, 2.0 ** GAP])) == (2.0 ** GAP,)


def test_each_stratum_has_its_own_worst_element():
    array, other = masked(), masked()
    other[1, 2] += 1
    other[2, 3] *= 1.5
    small, large = deviations(array, other, borders(array))
    assert small.index == (1, 2) and small.distance == pytest.approx(1) and small.scale < 10 and small.stratum == 0
    assert large.index == (2, 3) and large.scale == pytest.approx(3.4e38) and large.stratum == 1
    assert tops(array, borders(array)) == (small.scale, large.scale)


def multiple(array: np.ndarray, other: np.ndarray) -> float:
    """How many floors of one operation's rounding the two are apart."""
    store = Store()
    store.receive(Event(KEY, 1, None, array, scale=float(np.abs(array).max()), unit=float(np.abs(array).max()),
                        largest=float(np.abs(array).max())))
    floors = {KEY: own_rounding(store.events[KEY], np.finfo(array.dtype).eps)}
    against = Against(store, floors, np.inf)
    against.receive(Event(KEY, 1, None, other))
    found = against.matched[KEY][1]
    return found.distance / floor_at(floors[KEY], found.stratum)


def test_one_huge_element_hides_nothing():
    other = masked()
    other[1] += 1e-6
    assert multiple(masked(), other) > 1e5  # a mistake
    assert multiple(masked(), np.nextafter(masked(), np.inf)) <= 2  # its healthy twin: one rounding


def test_nor_does_it_hide_itself():
    other = masked()
    other[2, 3] *= 1.5
    assert multiple(masked(), other) > 1e5


def test_draws_are_measured_in_each_stratum():
    store, noise = Store(), None
    store.receive(Event(KEY, 1, None, masked(), largest=3.4e38))
    noise = Distances(store)
    for sign in (1, -1):
        noise.receive(Event(KEY, 1, None, np.nextafter(masked(), sign * np.inf)))
    assert noise.spread(KEY, 0).largest < 1e-15 and noise.spread(KEY, 1).largest > 1e20
    assert noise.spread(KEY, 0).samples == noise.spread(KEY, 1).samples == 48


def test_floors_of_strata_stay_apart_where_they_are_enlarged():
    assert larger(2.0, 1.0) == 2.0
    both = larger(Floors((1.0, 1e30)), 5.0)
    assert both.each == (5.0, 1e30) and float(both) == 5.0
    assert larger(3.0, Floors((1.0, 9.0))).each == (3.0, 9.0)

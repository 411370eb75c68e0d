"""Two arrays: how far apart, where, and in what simple way. Every false green of the peers is red here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from parity.numbers.arrays import BLOCK, deviation, distance_of_floats, largest_magnitude, resemblance

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
nan, inf = np.nan, np.inf


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- the peers' false greens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), [([nan, 1.0], [0.0, 1.0]), ([0.0, 1.0], [nan, 1.0]), ([nan, 1.0], [1.0, nan]),
                                             ([inf, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, -inf]), ([inf, 0.0], [-inf, 0.0]),
                                             ([nan, 0.0], [inf, 0.0]), ([inf, nan], [nan, inf])])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nan_and_infinity_are_no_numbers(left, right, dtype):
    found = deviation(np.array(left, dtype), np.array(right, dtype))
    assert found.distance == inf and found.trouble == "NaN or Inf on one side only"


@pytest.mark.parametrize("values", [[nan, 1.0], [inf, 1.0], [-inf, nan]])
def test_the_same_nan_and_infinity_in_the_same_place(values):
    found = deviation(np.array(values), np.array(values))
    assert found.distance == 0 and found.trouble is None
    assert found.nans == np.isnan(values).sum() and found.size == 2


def test_a_difference_beside_common_nans_is_seen():
    found = deviation(np.array([nan, inf, 1.0, 2.0]), np.array([nan, inf, 1.0, 5.0]))
    assert (found.distance, found.index, found.scale, found.nans) == (3.0, (3,), 2.0, 1)


@pytest.mark.parametrize("place", [0, 1, BLOCK - 1, BLOCK, 65535, 65536, 131071, 131072, 999_999])
def test_one_element_of_a_million(place):
    left = draw(1000, 1000)
    right = left.copy()
    right.flat[place] += 0.9
    found = deviation(left, right)
    assert found.distance == pytest.approx(0.9) and found.index == (place // 1000, place % 1000)
    assert (found.reference, found.twin) == (left.flat[place], right.flat[place])
    assert deviation(left, left.copy()).distance == 0


@pytest.mark.parametrize("place", [0, BLOCK - 1, BLOCK, 2 * BLOCK, 2 * BLOCK + 4])
def test_one_nan_at_the_borders_of_a_block(place):
    left = np.zeros(2 * BLOCK + 5, np.float32)
    right = left.copy()
    right[place] = nan
    assert deviation(left, right).index == deviation(right, left).index == (place,)
    assert deviation(right, right.copy()).nans == 1


@pytest.mark.parametrize(("left", "right"), [((2, 1), (2, 5)), ((4,), (1, 4)), ((), (1,)), ((2, 3), (3, 2)), ((0,), (1,)),
                                             ((0, 2), (2, 0))])
def test_nothing_broadcasts(left, right):
    found = deviation(np.ones(left), np.ones(right))
    assert found.distance == inf and found.trouble.startswith("shape")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_reversed_axis_has_the_same_mean(axis):
    left = draw(3, 4, 5)
    right = np.flip(left, axis)
    assert left.mean() == pytest.approx(right.mean())
    assert deviation(left, right).distance > 0.1
    assert resemblance(left, right) == f"the reference reversed along axis {axis}"


def test_a_permutation_has_the_same_mean():
    left = draw(50)
    right = np.random.default_rng(1).permutation(left)
    assert deviation(left, right).distance > 0.1
    assert resemblance(left, right) == "the same values in another order"


def test_a_missing_value_is_no_zero():
    assert deviation(None, np.zeros(2)).trouble == "exists in the twin only"
    assert deviation(np.zeros(2), None).trouble == "exists in the reference only"
    assert deviation(None, None).distance == 0


# --- dtypes ----------------------------------------------------------------------------------------------------------


def test_empty_arrays_have_a_shape_and_a_kind():
    assert deviation(np.zeros((0, 3)), np.zeros((0, 3))).distance == 0
    assert deviation(np.zeros(0), np.zeros(0, int)).distance == inf


@pytest.mark.parametrize(("left", "right", "distance"), [
    (np.array([True, False]), np.array([True, True]), 1), (np.array([3, -4]), np.array([3, 4]), 8),
    (np.array([0], np.uint8), np.array([255], np.uint8), 255), (np.array([2**60]), np.array([2**60 + 1]), 1),
    (np.array([-2**63]), np.array([2**63 - 1]), 2.0**64)])
def test_integers_and_truth_values_are_compared_exactly(left, right, distance):
    assert deviation(left, right).distance == distance
    assert deviation(left, left.copy()).distance == 0


@pytest.mark.parametrize(("left", "right"), [(float, int), (int, bool), (bool, float), (float, complex)])
def test_equal_values_of_another_kind_are_not_the_same(left, right):
    found = deviation(np.ones(3, left), np.ones(3, right))
    assert found.distance == inf and found.trouble.startswith("dtype")
    assert deviation(np.ones(3, left), np.ones(3, left)).distance == 0


def test_the_imaginary_part_counts():
    assert deviation(np.array([1 + 1j]), np.array([1 + 2j])).distance == 1
    assert deviation(np.array([1 + 1j]), np.array([1 + 1j])).distance == 0


def test_float32_against_its_float64_truth():
    truth = np.array([1 / 3])
    assert 0 < deviation(truth, truth.astype(np.float32)).distance < 1e-7
    assert deviation(truth.astype(np.float32), truth).distance == deviation(truth, truth.astype(np.float32)).distance


def test_denormals_differ():
    assert deviation(np.array([5e-324]), np.array([0.0])).distance == 5e-324
    assert deviation(np.array([1e-45], np.float32), np.array([0.0], np.float32)).distance > 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_difference_that_overflows_is_no_agreement(dtype):
    large = np.array([np.finfo(dtype).max], dtype)
    found = deviation(large, -large)
    assert found.distance == inf and found.trouble == "too far apart for their dtype"
    assert deviation(large, large.copy()).distance == 0


def test_a_strided_view_is_read_in_order():
    left = draw(6, 7).T[::2]
    right = np.ascontiguousarray(left)
    assert deviation(left, right).distance == 0
    right[2, 3] += 1
    assert deviation(left, right).index == (2, 3)


def test_relative():
    assert deviation(np.array([4.0, 0]), np.array([4.0, 1])).relative == 0.25
    assert deviation(np.zeros(1), np.ones(1)).relative == inf and deviation(np.zeros(1), np.zeros(1)).relative == 0


# --- against a plain definition --------------------------------------------------------------------------------------

DTYPES = st.sampled_from([np.float32, np.float64])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=5)


@st.composite
def two(draw, **limits):
    shape, dtypes = draw(SHAPES), (draw(DTYPES), draw(DTYPES))
    return [draw(hnp.arrays(dtype, shape, elements=st.floats(width=32, **limits))) for dtype in dtypes]


def plain(left, right):
    """The definition, one element at a time."""
    distance = 0.0
    for a, b in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True):
        if a == b or (a != a and b != b):
            continue
        distance = max(distance, abs(a - b) if np.isfinite(a) and np.isfinite(b) else inf)
    return distance


@quick
@given(two(min_value=-2.0**99, max_value=2.0**99))
def test_distance_is_the_largest_absolute_difference(arrays):
    left, right = arrays
    rounding = 1e-7 if left.dtype == right.dtype == np.float32 else 1e-15
    assert deviation(left, right).distance == pytest.approx(plain(left, right), rel=rounding, abs=1e-45)


@quick
@given(two(allow_nan=True, allow_infinity=True))
def test_distance_with_everything_in_it(arrays):
    left, right = arrays
    found, expected = deviation(left, right), plain(left, right)
    assert (found.distance == 0) == (expected == 0)
    assert found.distance >= expected * (1 - 1e-6)
    assert found.scale == largest_magnitude(left)
    assert found.nans == (np.isnan(left) & np.isnan(right)).sum()


@quick
@given(two(allow_nan=True, allow_infinity=True))
def test_the_index_points_at_the_worst(arrays):
    left, right = arrays
    found = deviation(left, right)
    assert np.array_equal(left[found.index], found.reference, equal_nan=True)
    assert np.array_equal(right[found.index], found.twin, equal_nan=True)


@quick
@given(hnp.arrays(np.float64, SHAPES))
def test_an_array_is_itself(array):
    assert deviation(array, array.copy()).distance == 0


# --- resemblance -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "words"), [
    (lambda x: 2 * x, "the reference times 2"), (lambda x: -x, "the reference times -1"),
    (lambda x: x + 0.5, "the reference plus 0.5"), (lambda x: x[:, ::-1], "the reference reversed along axis 1"),
    (lambda x: x.T.copy(), "the same values in another order"), (lambda x: x.reshape(8, 2), "the same values in another shape"),
    (lambda x: 0 * x, "all zero on one side")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_simple_changes_are_named(change, words, dtype):
    left = draw(4, 4).astype(dtype)
    assert resemblance(left, change(left)) == words


@pytest.mark.parametrize("change", [lambda x: x * x, lambda x: x + draw(4, 4, seed=1), lambda x: x[:3], lambda x: x * nan,
                                    lambda x: 2 * x + 1e-3 * draw(4, 4, seed=1)])
def test_other_changes_are_not(change):
    left = draw(4, 4)
    assert resemblance(left, change(left)) is None


def test_a_single_number_resembles_anything_and_so_nothing():
    assert resemblance(np.ones(1), 2 * np.ones(1)) is None


@pytest.mark.parametrize("dtype", [int, bool, np.uint8])
def test_integers_and_truth_values_may_resemble(dtype):
    left = np.array([[1, 0, 0], [1, 1, 0]]).astype(dtype)
    assert resemblance(left, left[:, ::-1]) == "the reference reversed along axis 1"


def test_large_numbers_do_not_overflow():
    left = 1e200 * draw(4, 4)
    with np.errstate(all="raise"):
        assert resemblance(left, 2 * left) == "the reference times 2"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (4, 5), (200, 200)])
def test_the_quick_distance_of_floats_is_the_deviations(dtype, shape):
    random = np.random.default_rng(0)
    reference, twin = (np.asarray(random.normal(size=shape), dtype) for _ in range(2))
    quick = distance_of_floats(reference, twin)
    assert quick == deviation(reference, twin).distance if reference.size < 1 << 15 else quick is None


@pytest.mark.parametrize("twin", [np.array([1.0, nan]), np.array([1.0, inf]), np.array([1.0]), np.array([1, 2], np.float32),
                                  np.array([1, 2])])
def test_what_needs_a_closer_look_has_no_quick_distance(twin):
    assert distance_of_floats(np.array([1.0, nan]), twin) is None
    assert distance_of_floats(np.array([], float), np.array([], float)) is None

"""Moving numbers by one unit in the last place, and results by their rounding."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from parity.frameworks.torch_rounding import StochasticRounding
from parity.numbers.noise import generator, move, one_ulp

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
EPS = np.finfo(np.float64).eps

ARRAYS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)))


# --- one unit in the last place --------------------------------------------------------------------------------------


@quick
@given(ARRAYS, st.integers(0, 9))
def test_every_number_moves_to_a_neighbour(array, seed):
    moved = one_ulp(array, np.random.default_rng(seed))
    assert moved.dtype == array.dtype and moved.shape == array.shape
    usual = np.isfinite(array) & (array != 0) & (np.abs(array) < np.finfo(array.dtype).max)
    with np.errstate(over="ignore"):
        up, down = (np.nextafter(array, array.dtype.type(towards)) for towards in (np.inf, -np.inf))
    end = ((array == array[usual].min(initial=np.inf)) | (array == array[usual].max(initial=-np.inf))) & (array == np.trunc(array))
    assert ((moved == up) | (moved == down))[usual & ~end].all()
    assert np.array_equal(moved[~np.isfinite(array)], array[~np.isfinite(array)], equal_nan=True)
    assert np.isfinite(moved[np.isfinite(array)]).all()


@quick
@given(ARRAYS, st.integers(0, 9))
def test_an_exact_zero_stays(array, seed):
    moved = one_ulp(array, np.random.default_rng(seed))
    assert (moved[array == 0] == 0).all()


def test_both_directions_are_drawn():
    array = np.full(1000, 1.5)
    moved = one_ulp(array, np.random.default_rng(0))
    assert 400 < (moved > array).sum() < 600 and (moved != array).all()


@pytest.mark.parametrize("array", [np.array([0.0, 1.0, 0.5] * 50), np.array([-1.0, 1.0, 0.3] * 50), np.ones(150), -np.ones(150),
                                   np.array([np.nan, 2.0, np.inf, -3.0] * 50)])
def test_what_may_be_the_end_of_a_domain_moves_inwards(array):
    """A label of 1 that is moved to 1 + eps is none: torch's binary_cross_entropy raises."""
    moved = one_ulp(array, np.random.default_rng(0), inwards=True)
    finite = np.isfinite(array)
    assert min(0, array[finite].min()) <= moved[finite].min() and moved[finite].max() <= max(0, array[finite].max())
    assert (np.abs(moved) <= np.abs(array))[finite & (array == np.trunc(array))].all()
    assert (moved != array)[finite & (array != 0)].any()


def test_a_single_number_moves_in_every_draw_and_equal_ones_do_not_all_move_alike():
    for seed in range(9):
        assert one_ulp(np.array([1.0]), np.random.default_rng(seed), inwards=True)[0] < 1
    moved = one_ulp(np.ones(100), np.random.default_rng(0), inwards=True)
    assert 30 < (moved < 1).sum() < 70 and (moved <= 1).all()
    both = one_ulp(np.ones(100), np.random.default_rng(0))
    assert 30 < (both < 1).sum() < 70 and (both != 1).all()


def test_both_parts_of_a_complex_number_move_and_no_zero_of_them():
    array = np.array([[1.5 + 2.5j, 3.5, 4.5j], [1 + 2j, 3, 4j], [-7.5 - 7.5j, 7.5, 7.5j]] * 50, np.complex64)
    moved = one_ulp(array, np.random.default_rng(0))
    assert moved.dtype == array.dtype and moved.shape == array.shape
    for part, own in ((moved.real, array.real), (moved.imag, array.imag)):
        assert np.array_equal(part != own, own != 0)


def test_the_largest_number_does_not_become_infinite():
    largest = np.full(50, np.finfo(np.float32).max, np.float32)
    assert np.isfinite(one_ulp(largest, np.random.default_rng(0))).all()


@pytest.mark.parametrize("dtype", [int, bool, np.uint8])
def test_what_does_not_round_does_not_move(dtype):
    array = np.array([0, 1, 1]).astype(dtype)
    assert one_ulp(array, np.random.default_rng(0)) is array


def test_the_original_stays():
    array = np.array([0.0, 1.0, np.nan])
    one_ulp(array, np.random.default_rng(0))
    assert np.array_equal(array, [0.0, 1.0, np.nan], equal_nan=True)


def test_draws_depend_on_names_and_not_on_order():
    values = {"a": np.ones(64), "b": np.ones(64)}
    forward, backward = move(values, 0, "state"), move(dict(reversed(values.items())), 0, "state")
    assert all(np.array_equal(forward[name], backward[name]) for name in values)
    assert not np.array_equal(forward["a"], forward["b"])
    assert not np.array_equal(forward["a"], move(values, 1, "state")["a"])
    assert generator("x", 1).random() == generator("x", 1).random() != generator("x", 2).random()


# --- stochastic rounding ---------------------------------------------------------------------------------------------


def run(function, *arrays, seed=None, pairwise=False):
    """(result, gradients) of a function of tensors, with moved results where a seed is given."""
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    if seed is None:
        result = function(*leaves)
        result.sum().backward()
    else:
        with StochasticRounding(seed, pairwise=pairwise):
            result = function(*leaves)
            torch.autograd.backward([result], [torch.ones_like(result)])
    return result.detach().numpy(), [leaf.grad.numpy() for leaf in leaves]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


EXACT = {
    "relu": lambda x: torch.relu(x), "reshape": lambda x: x.reshape(6, 4), "transpose": lambda x: x.transpose(0, 1),
    "cat": lambda x: torch.cat([x, x]), "index": lambda x: x[1:, ::2], "flip": lambda x: x.flip(0), "neg": lambda x: -x,
    "clamp": lambda x: x.clamp(-0.5, 0.5), "max": lambda x: x.amax(1), "clone": lambda x: x.clone(), "abs": lambda x: x.abs(),
    "where": lambda x: torch.where(x > 0, x, x.detach()), "pad": lambda x: torch.nn.functional.pad(x, (1, 1)),
}


@pytest.mark.parametrize("name", EXACT)
def test_moving_and_choosing_values_is_exact(name):
    x = draw(4, 6)
    assert np.array_equal(run(EXACT[name], x)[0], run(EXACT[name], x, seed=1)[0])


@pytest.mark.parametrize("function", [torch.exp, torch.tanh, torch.sigmoid, lambda x: x * 3, lambda x: x + 1, lambda x: x / 7,
                                      lambda x: torch.nn.functional.leaky_relu(x, 0.2)])
def test_an_elementwise_result_moves_by_one_eps(function):
    x = draw(50, 50)
    plain, moved = run(function, x)[0], run(function, x, seed=1)[0]
    ratio = np.abs(moved - plain) / (EPS * np.abs(plain))
    assert (ratio < 1.6).all() and (ratio > 0.4).all()


@pytest.mark.parametrize(("function", "terms", "magnitude"), [
    (lambda x: x.sum(1), 400, lambda x: np.abs(x).max() * 20),
    (lambda x: x.mean(1), 400, lambda x: np.abs(x).max() / 20),
    (lambda x: x @ torch.ones(400, 3, dtype=torch.float64), 400, lambda x: np.abs(x.sum(1)).max()),
    (lambda x: torch.var(x, 1), 400, lambda x: x.var(1, ddof=1).max()),
])
@pytest.mark.parametrize("pairwise", [False, True])
def test_a_reduction_moves_by_the_root_of_its_terms_or_of_their_levels(function, terms, magnitude, pairwise):
    x = draw(30, 400)
    plain, moved = run(function, x)[0], run(function, x, seed=1, pairwise=pairwise)[0]
    allowed = EPS * np.sqrt(np.log2(terms) if pairwise else terms) * magnitude(x)
    assert 0.5 * allowed < np.abs(moved - plain).max() < 1.5 * allowed + EPS * np.abs(plain).max()


def test_a_complex_result_moves_by_the_rounding_of_the_whole():
    """Both parts of a product may cancel, and so may a sum of waves; what is exactly zero stays."""
    x = draw(30, 8)
    for function, largest in ((lambda x: torch.complex(x, x) * torch.complex(x, -x), 2), (torch.fft.fft, 4)):
        results = [torch.view_as_real(function(torch.from_numpy(x))).numpy()]
        with StochasticRounding(1):
            results.append(torch.view_as_real(function(torch.from_numpy(x))).numpy())
        plain, moved = results
        size = np.linalg.norm(plain, axis=-1).max()
        assert 0 < np.abs(moved - plain).max() < largest * EPS * size
        assert (moved[plain == 0] == 0).all() and (plain == 0).any()


def test_a_convolution_moves_by_the_root_of_its_fan_in():
    weight, x = draw(3, 5, 3, 3, seed=1), draw(2, 5, 8, 8)
    plain, moved = (run(torch.nn.functional.conv2d, x, weight, seed=seed)[0] for seed in (None, 1))
    assert np.abs(moved - plain).max() == pytest.approx(EPS * np.sqrt(45) * np.abs(plain).max(), rel=0.6)


def test_a_sum_that_cancels_moves_as_far_as_its_partial_sums():
    x = np.concatenate([draw(1, 500), -draw(1, 500)], 1)
    assert np.abs(run(lambda x: x.sum(1), x)[0]).max() < 1e-12
    assert np.abs(run(lambda x: x.sum(1), x, seed=1)[0]).max() > 10 * EPS


def test_the_backward_is_moved_too():
    def function(x):
        return torch.exp(x * 2)

    x = draw(100)
    (plain,), (moved,) = run(function, x)[1], run(function, x, seed=1)[1]
    distance = np.abs(moved - plain) / np.abs(plain)
    assert 0 < distance.max() < 10 * EPS and (distance > 0).mean() > 0.5


def test_a_saved_result_is_the_moved_result():
    """The derivative of exp is its own result: the one that went on, not one from before it was moved."""
    x = torch.zeros(100, dtype=torch.float64, requires_grad=True)
    with StochasticRounding(1):
        y = torch.exp(x)
    (gradient,) = torch.autograd.grad(y, x, torch.ones_like(y))
    assert (y != 1).all() and torch.equal(gradient, y.detach())


def test_operations_in_place_keep_their_graph():
    def function(x):
        y = x * 2
        y += 1
        y.mul_(3).relu_()
        return y

    x = draw(50)
    plain, moved = run(function, x), run(function, x, seed=1)
    assert 0 < np.abs(moved[0] - plain[0]).max() < 20 * EPS * np.abs(plain[0]).max()
    assert np.allclose(moved[1][0], plain[1][0], rtol=1e-14)


def test_inputs_are_never_written():
    x, weight = torch.from_numpy(draw(4, 4)), torch.from_numpy(draw(4, 4, seed=1))
    before = x.clone(), weight.clone()
    with StochasticRounding(1):
        x.t(), x.view(16), x[0], x.expand(2, 4, 4), x.to(torch.float64), x.contiguous(), x.detach(), x.reshape(2, 8)
        torch.nn.functional.linear(x, weight)
    assert torch.equal(x, before[0]) and torch.equal(weight, before[1])


def test_the_seed_says_it_all():
    x = draw(30, 30)
    one, again, other = (run(lambda x: (x @ x).tanh(), x, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1][0], again[1][0])
    assert not np.array_equal(one[0], other[0])


def test_torchs_own_random_numbers_are_not_used_up():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with StochasticRounding(1):
        torch.exp(torch.ones(5))
    assert torch.equal(torch.rand(3), expected)


def test_outside_nothing_moves_also_after_an_exception():
    x = torch.from_numpy(draw(20))
    expected = torch.exp(x)
    with pytest.raises(RuntimeError), StochasticRounding(1):
        torch.exp(x)
        raise RuntimeError
    assert torch.equal(torch.exp(x), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_does_not_spread(value):
    x = np.array([[1.0, value, 2.0]])
    moved = run(lambda x: torch.stack([x * 2, x + 1]), x, seed=1)[0]
    assert np.isfinite(moved[..., [0, 2]]).all() and not np.isfinite(moved[..., 1]).any()


def test_integers_stay():
    with StochasticRounding(1):
        assert torch.equal(torch.arange(5) * 3 + 1, torch.tensor([1, 4, 7, 10, 13]))
        assert torch.arange(6).sum() == 15

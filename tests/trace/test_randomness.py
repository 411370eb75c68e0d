"""Shared randomness: the same numbers for the same draws, whatever they are called and wherever they are made."""

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF

from parity.frameworks import PaddleFramework, TorchFramework
from parity.numbers.distributions import Drawn, Numbers
from parity.numbers.noise import generator
from parity.trace.randomness import Tape, python_and_numpy

X = np.random.default_rng(0).standard_normal((3, 4, 6, 6)).astype(np.float32)
TOP = (("", 0), ("net", 0))


def drawn(framework, program, dtype="float32"):
    """(result, draws) of a program with numbers from generators of its own, 0, 1, 2, ... for its draws."""
    draws = []

    def take(draw):
        draws.append(draw)
        return generator("test", len(draws))

    with framework.default_dtype(dtype), framework.drawing(Numbers(take)):
        result = program(framework.tensor(X.astype(dtype)))
    return framework.array(result, copy=True), draws


def meet(torch_program, paddle_program, dtype="float32"):
    left, ours = drawn(TorchFramework(), torch_program, dtype)
    right, theirs = drawn(PaddleFramework(), paddle_program, dtype)
    assert ours and len(ours) == len(theirs)
    assert left.shape == right.shape
    # torch keeps the factor 1 / (1 - p) of alpha dropout, and softmax its sums, in an order of its own: a few roundings.
    close = bool((np.abs(left - right) <= 32 * np.finfo(dtype).eps * np.abs(left).max()).all())
    return close, all(one.agrees(other) for one, other in zip(ours, theirs, strict=True))


def empty(*shape):
    return torch.empty(*shape)


def swapped(x):
    """(batch, heads, n, width) and (batch, n, heads, width)."""
    return x.transpose([0, 2, 1, 3])


SAME = {
    "dropout": (lambda x: TF.dropout(x, .3), lambda x: PF.dropout(x, .3)),
    "dropout in place": (lambda x: TF.dropout(x, .3, inplace=True), lambda x: PF.dropout(x, .3)),
    "dropout2d": (lambda x: TF.dropout2d(x, .3), lambda x: PF.dropout2d(x, .3)),
    "dropout along an axis": (lambda x: x * (empty(3, 1, 1, 1).bernoulli_(.7) / .7), lambda x: PF.dropout(x, .3, axis=0)),
    "alpha dropout": (lambda x: TF.alpha_dropout(x, .3, True), lambda x: PF.alpha_dropout(x, .3)),
    "feature alpha dropout": (lambda x: TF.feature_alpha_dropout(x, .3, True), lambda x: PF.feature_alpha_dropout(x, .3)),
    "drop path": (lambda x: x * (empty(3, 1, 1).bernoulli_(.7) / .7)[..., None],
                  lambda x: x / .7 * paddle.floor(.7 + paddle.rand([3, 1, 1, 1]))),
    "attention": (lambda x: TF.scaled_dot_product_attention(x, x, x, dropout_p=.3),
                  lambda x: swapped(PF.scaled_dot_product_attention(*[swapped(x)] * 3, dropout_p=.3))),
    "rand": (lambda x: torch.rand(3, 4), lambda x: paddle.rand([3, 4])),
    "rand_like": (torch.rand_like, lambda x: paddle.rand(x.shape)),
    "uniform": (lambda x: empty(3, 4).uniform_(-1, 2), lambda x: paddle.uniform([3, 4], min=-1, max=2)),
    "uniform_": (lambda x: empty(3, 4).uniform_(-1, 2), lambda x: paddle.zeros([3, 4]).uniform_(-1, 2)),
    "randn": (lambda x: torch.randn(3, 4, generator=torch.Generator()), lambda x: paddle.randn([3, 4])),
    "normal": (lambda x: torch.normal(1., 2., (3, 4)), lambda x: paddle.normal(1., 2., [3, 4])),
    "normal_": (lambda x: empty(3, 4).normal_(1, 2), lambda x: paddle.zeros([3, 4]).normal_(1, 2)),
    "normal, spelled out": (lambda x: torch.normal(1., 2., (3, 4)), lambda x: 1 + 2 * paddle.randn([3, 4])),
    "normal of tensors": (lambda x: torch.normal(x, x.abs()), lambda x: paddle.normal(x, x.abs())),
    "log_normal": (lambda x: empty(3, 4).log_normal_(1, .5), lambda x: paddle.zeros([3, 4]).log_normal_(1, .5)),
    "randint": (lambda x: torch.randint(3, 9, (4, 5)), lambda x: paddle.randint(3, 9, [4, 5])),
    "randint_like": (lambda x: torch.randint_like(x, 9), lambda x: paddle.randint_like(x, 9)),
    "randperm": (lambda x: torch.randperm(9), lambda x: paddle.randperm(9)),
    "bernoulli": (lambda x: torch.bernoulli(x.sigmoid()), lambda x: paddle.bernoulli(PF.sigmoid(x))),
    "bernoulli of a number": (lambda x: torch.bernoulli(x, .3), lambda x: paddle.bernoulli(paddle.full(x.shape, .3))),
    "bernoulli_": (lambda x: empty(3, 4).bernoulli_(.3), lambda x: paddle.zeros([3, 4]).bernoulli_(.3)),
    "multinomial": (lambda x: torch.multinomial(x[:, 0, 0].exp(), 3), lambda x: paddle.multinomial(x[:, 0, 0].exp(), 3)),
    "multinomial with replacement": (lambda x: torch.multinomial(x[0, 0].exp(), 9, True),
                                     lambda x: paddle.multinomial(x[0, 0].exp(), 9, True)),
    "multinomial of one": (lambda x: torch.multinomial(x[0, 0].exp(), 1, True), lambda x: paddle.multinomial(x[0, 0].exp(), 1)),
    "exponential": (lambda x: empty(3, 4).exponential_(2.), lambda x: paddle.zeros([3, 4]).exponential_(2.)),
    "gumbel": (lambda x: TF.gumbel_softmax(x, .7), lambda x: PF.gumbel_softmax(x, .7)),
    "gumbel, hard": (lambda x: TF.gumbel_softmax(x, .7, hard=True), lambda x: PF.gumbel_softmax(x, .7, hard=True)),
    "gumbel, spelled out": (lambda x: TF.gumbel_softmax(x),
                            lambda x: PF.softmax(x - paddle.log(-paddle.log(paddle.rand(x.shape, x.dtype))))),
    "rrelu": (lambda x: TF.rrelu(x, training=True), lambda x: PF.rrelu(x, training=True)),
    "rrelu in place": (lambda x: TF.rrelu(x, training=True, inplace=True), lambda x: PF.rrelu(x, training=True)),
    "poisson": (lambda x: torch.poisson(x.abs()), lambda x: paddle.poisson(x.abs())),
    "Normal": (lambda x: torch.distributions.Normal(x, x.abs() + 1).rsample(),
               lambda x: paddle.distribution.Normal(x, x.abs() + 1).rsample([])),
    "Categorical": (lambda x: torch.distributions.Categorical(logits=x[:, 0, 0]).sample((2,)),
                    lambda x: paddle.distribution.Categorical(x[:, 0, 0]).sample([2])),
    "Exponential": (lambda x: torch.distributions.Exponential(x.abs() + 1).rsample(),
                    lambda x: paddle.distribution.Exponential(x.abs() + 1).rsample([])),
    "Gamma": (lambda x: torch.distributions.Gamma(x.abs() + 1, x.abs() + 1).rsample(),
              lambda x: paddle.distribution.Gamma(x.abs() + 1, x.abs() + 1).sample([])),
    "Dirichlet": (lambda x: torch.distributions.Dirichlet(x.abs() + 1).rsample(),
                  lambda x: paddle.distribution.Dirichlet(x.abs() + 1).sample([])),
}


NEW = {"feature alpha dropout": (PF, "feature_alpha_dropout"), "log_normal": (paddle.Tensor, "log_normal_"),
       "bernoulli_": (paddle.Tensor, "bernoulli_"), "Exponential": (paddle.distribution, "Exponential"),
       "Gamma": (paddle.distribution, "Gamma")}
for _name, (_owner, _function) in NEW.items():
    if not hasattr(_owner, _function):  # Paddle 2.6
        del SAME[_name]


@pytest.mark.parametrize("name", SAME)
def test_both_frameworks_draw_the_same(name):
    assert meet(*SAME[name]) == (True, True)


@pytest.mark.parametrize("name", ["log_normal", "exponential", "normal", "Normal"])
def test_they_do_in_float64_as_well(name):
    if name not in SAME:
        pytest.skip(f"Paddle {paddle.__version__} has no {name}")
    assert meet(*SAME[name], "float64") == (True, True)


OTHERWISE = {  # (values close, draws agree): either tells
    "rate": (lambda x: TF.dropout(x, .3), lambda x: PF.dropout(x, .4), (False, False)),
    "mode": (lambda x: TF.dropout(x, .3), lambda x: PF.dropout(x, .3, mode="downscale_in_infer"), (False, True)),
    "scale of a drop path": (lambda x: x * (empty(3, 1, 1, 1).bernoulli_(.7) / .7),
                             lambda x: x * paddle.floor(.7 + paddle.rand([3, 1, 1, 1])), (False, True)),
    "shape": (lambda x: TF.dropout(x, .3), lambda x: PF.dropout(x, .3, axis=[0, 1]), (False, False)),
    "distribution": (torch.rand_like, lambda x: paddle.randn(x.shape), (False, False)),
    "kind": (lambda x: torch.randint(3, 9, (3, 4)).float(), lambda x: paddle.zeros([3, 4]).exponential_(2.), (False, False)),
    "standard deviation": (lambda x: empty(3, 4).normal_(0, .02), lambda x: paddle.normal(0., .2, [3, 4]), (False, False)),
    "range": (lambda x: torch.randint(3, 9, (4, 5)), lambda x: paddle.randint(2, 9, [4, 5]), (False, False)),
    "slopes": (lambda x: TF.rrelu(x, training=True), lambda x: PF.rrelu(x, .2, .3, training=True), (False, False)),
    "temperature": (lambda x: TF.gumbel_softmax(x, .7), lambda x: PF.gumbel_softmax(x, .5), (False, True)),
    "replacement": (lambda x: torch.multinomial(x[0, 0].exp(), 2, True),
                    lambda x: paddle.multinomial(x[0, 0].exp(), 2), (False, False)),
    "weights": (lambda x: torch.multinomial(x[0, 0].exp(), 99, True),
                lambda x: paddle.multinomial((2 * x[0, 0]).exp(), 99, True), (False, True)),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_drawn_otherwise_is_seen(name):
    *programs, expected = OTHERWISE[name]
    assert meet(*programs) == expected


@pytest.mark.parametrize("name", ["dropout", "normal", "uniform_", "exponential", "randperm", "rand"])
def test_both_lanes_see_the_same_numbers(name):
    for framework, program in zip((TorchFramework(), PaddleFramework()), SAME[name], strict=True):
        single, double = (drawn(framework, program, dtype)[0] for dtype in ("float32", "float64"))
        np.testing.assert_allclose(single, double, rtol=np.finfo(np.float32).eps)


def test_the_dropout_between_the_layers_of_an_lstm_has_its_numbers_too():
    torch.manual_seed(0)
    ours = torch.nn.LSTM(6, 5, 3, dropout=.4, bidirectional=True)
    theirs = paddle.nn.LSTM(6, 5, 3, dropout=.4, direction="bidirect", time_major=True)
    weights = {name: value.numpy() for name, value in ours.state_dict().items()}
    theirs.set_state_dict({name: weights[name] for name in theirs.state_dict() if name in weights})
    for result in (lambda out: out[0], lambda out: out[1][0], lambda out: out[1][1]):
        assert meet(lambda x, r=result: r(ours(x[:, :, 0])), lambda x, r=result: r(theirs(x[:, :, 0]))) == (True, True)


def test_a_dropout_passes_on_the_gradient_of_what_it_kept():
    gradients = []
    for framework, dropout in ((TorchFramework(), TF.dropout), (PaddleFramework(), PF.dropout)):
        with framework.drawing(Numbers(lambda draw: generator("test"))):
            x = framework.tensor(X, requires_grad=True)
            out = dropout(x, .3)
            framework.backward([out], [framework.tensor(X)])
            gradients.append((framework.array(framework.gradient(x), copy=True), framework.array(out, copy=True)))
    np.testing.assert_array_equal(*(gradient for gradient, _ in gradients))
    assert ((gradients[0][0] == 0) == (gradients[0][1] == 0)).all() and (gradients[0][0] == 0).any()


def test_afterwards_each_framework_draws_its_own():
    original = paddle._C_ops.dropout
    for framework, dropout in ((TorchFramework(), TF.dropout), (PaddleFramework(), PF.dropout)):
        with framework.drawing(Numbers(lambda draw: generator("test"))):
            same = [framework.array(dropout(framework.tensor(X), .5), copy=True) for _ in range(2)]
        other = framework.array(dropout(framework.tensor(X), .5), copy=True)
        np.testing.assert_array_equal(*same)
        assert (same[0] != other).any()
    assert paddle._C_ops.dropout is original


def test_the_numbers_have_their_distributions():
    """4e4 samples: means within 5 standard errors of what they must be."""
    numbers, n = Numbers(lambda draw: generator("test", draw.kind)), 40000
    for values, mean, deviation in (
            (numbers.uniform((n,), -1, 3), 1, 4 / 12 ** .5), (numbers.normal((n,), 2, 3), 2, 3),
            (numbers.bernoulli((n,), .3), .3, .21 ** .5), (numbers.integers((n,), 2, 12), 6.5, (99 / 12) ** .5),
            (numbers.exponential((n,), 2.), .5, .5), (numbers.geometric((n,), .25), 4, 12 ** .5),
            (numbers.poisson(np.full(n, 3.)), 3, 3 ** .5), (numbers.gamma(np.full(n, 2.)), 2, 2 ** .5),
            (numbers.multinomial(np.array([1., 3.]), n, True), .75, (.75 * .25) ** .5),
            (numbers.multinomial(np.tile([1., 3.], (n, 1)), 1, False), .75, (.75 * .25) ** .5)):
        assert abs(values.mean() - mean) < 5 * deviation / n ** .5
    assert sorted(numbers.permutation(50)) == list(range(50))


@pytest.mark.parametrize(("one", "other", "fit"), [
    ((4, 6), (4, 6), True), ((8, 5, 5), (2, 4, 5, 5), True), ((3, 1, 1), (3, 1, 1, 1), True), ((), (1,), True),
    ((0, 4), (0, 4), True), ((4, 6), (6, 4), False), ((4, 6), (4,), False), ((12,), (3, 5), False), ((2, 6), (3, 4), False)])
def test_shapes_meet_where_one_joins_the_axes_of_the_other(one, other, fit):
    left, right = (Drawn("uniform", (0., 1.), shape) for shape in (one, other))
    assert left.fits(right) is right.fits(left) is fit


# --- the tape ------------------------------------------------------------------------------------------------------


def uniform(*shape, kind="uniform", parameters=(0., 1.)):
    return Drawn(kind, parameters, shape)


def taped(draws, paths=("net",)):
    """A tape of what the reference drew: [(draw, place)], by generator."""
    tape = Tape("test")
    hand = tape.hand(0)
    hand.watch(set(paths))
    numbers = [hand.take(draw, place)[1].random() for draw, place in draws]
    hand.close()
    return tape, numbers


def handed(tape, draws, side=1, paths=("net",)):
    hand = tape.hand(side)
    hand.watch(set(paths))
    found = [hand.take(draw, place) for draw, place in draws]
    return [entry.number if entry else None for entry, _ in found], [numbers.random() for _, numbers in found]


def test_every_run_has_the_numbers_of_the_first():
    draws = [(uniform(3), TOP), (uniform(3), TOP), (uniform(5), TOP)]
    tape, numbers = taped(draws)
    assert len(set(numbers)) == 3
    for side in (0, 1, 1):
        assert handed(tape, draws, side) == ([0, 1, 2], numbers)


def test_draws_meet_in_the_innermost_call_that_both_sides_have():
    """The twin has no module for the first of them, and makes the second call of `net.b` first."""
    a, b, again = (*TOP, ("net.a", 0)), (*TOP, ("net.b", 0)), (*TOP, ("net.b", 1))
    tape, _ = taped([(uniform(3), a), (uniform(3), b), (uniform(3), again)], ("net", "net.a", "net.b"))
    met, _ = handed(tape, [(uniform(3), again), (uniform(3), b), (uniform(3), TOP)], paths=("net", "net.b"))
    assert met == [2, 1, 0]


def test_a_missing_draw_does_not_shift_those_of_other_kinds():
    tape, numbers = taped([(uniform(3), TOP), (uniform(3, kind="bernoulli", parameters=(.5,)), TOP)])
    met, own = handed(tape, [(uniform(3, kind="bernoulli", parameters=(.5,)), TOP)])
    assert (met, own) == ([1], numbers[1:])


def test_a_draw_without_partner_has_numbers_of_its_own():
    tape, numbers = taped([(uniform(3), TOP)])
    met, own = handed(tape, [(uniform(3), TOP), (uniform(3), TOP)])
    assert met == [0, None] and own[0] == numbers[0] != own[1]
    assert handed(tape, [(uniform(3), TOP), (uniform(3), TOP)])[1] == own


def test_in_line_draws_meet_by_their_order_alone():
    a, paths = (*TOP, ("net.a", 0)), ("net", "net.a")
    tape, numbers = taped([(uniform(3), a), (uniform(3), TOP)], paths)
    draws = [(uniform(3), TOP), (uniform(3), TOP)]
    assert handed(tape, draws, paths=paths)[0] == [1, None] and tape.is_otherwise_in_line
    tape.in_line = True
    assert handed(tape, draws, paths=paths) == ([0, 1], numbers) and not tape.is_otherwise_in_line
    handed(tape, [*draws, (uniform(3), TOP)], paths=paths)
    assert not tape.is_otherwise_in_line  # one more: that the order is all that is different is no way to see it


def test_what_is_drawn_alone_can_be_any_number():
    tape, numbers = taped([(uniform(3), TOP), (uniform(1), TOP)])
    draws = [(uniform(3), TOP), (uniform(7), (("", 0),))]
    assert handed(tape, draws)[0] == [0, None]
    assert tape.lone == ({1: uniform(1)}, [uniform(7)])
    tape.instead = [0.25].__getitem__
    assert handed(tape, draws)[1] == [numbers[0], 0.25]
    assert handed(tape, [(uniform(3), TOP), (uniform(1), TOP)], side=0)[1] == [numbers[0], 0.25]


def test_in_turns_the_twin_waits_for_the_reference():
    tape = Tape("test")
    reference, asked = tape.hand(0), []
    reference.watch({"net"})

    def more():
        asked.append(None)
        if len(asked) < 3:
            reference.take(uniform(len(asked)), TOP)
        return len(asked) < 3

    tape.more = more
    twin = tape.hand(1)
    twin.watch({"net"})
    assert twin.take(uniform(2), TOP)[0].number == 1
    assert twin.take(uniform(7), TOP)[0].number == 0  # nothing of its shape will come: a finding, with what is left


def test_python_and_numpy_start_alike_and_go_on_as_before():
    import random
    random.seed(5)
    before = random.getstate()
    with python_and_numpy(3):
        first = random.random(), np.random.rand()
    assert random.getstate() == before
    with python_and_numpy(3):
        assert (random.random(), np.random.rand()) == first

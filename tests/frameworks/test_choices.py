"""A noise draw chooses what the reference chose, and rounds what the reference rounds."""

import pytest
import torch

from parity.frameworks import FRAMEWORKS
from parity.frameworks.torch_choices import Choices
from parity.frameworks.torch_rounding import StochasticRounding

X = (torch.randn(40, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 4).round() / 4  # full of ties

CHOOSING = {
    "topk": lambda y: y.topk(3, 0)[1], "sort": lambda y: y.sort(0, descending=True)[1], "argsort": lambda y: y.argsort(1),
    "median": lambda y: y.median(1).indices, "kthvalue": lambda y: y.kthvalue(2, 1)[1], "max": lambda y: y.max(1)[1],
    "max, kept": lambda y: y.max(1, keepdim=True)[1], "argmax": lambda y: y.argmax(0), "compare": lambda y: y >= 0.25,
    "floor": lambda y: (y * 4).floor(), "round": lambda y: (y * 2).round(), "cast": lambda y: (y * 4).long(),
    "max_pool": lambda y: torch.nn.functional.max_pool1d(y[None], 2, return_indices=True)[1],
    "bucketize": lambda y: torch.bucketize(y, torch.linspace(-1, 1, 9, dtype=torch.float64)), "cummax": lambda y: y.cummax(1)[1],
    "divide": lambda y: torch.div(y, 0.25, rounding_mode="floor"), "floor_divide": lambda y: y // 0.25,
    "in place": lambda y: (y * 4).clone().floor_(), "sign": lambda y: torch.sign(y - 0.25), "mode": lambda y: y.mode(1)[1],
}
CONTINUOUS = {
    "remainder": lambda y: torch.remainder(y, 0.25), "fmod": lambda y: torch.fmod(y, 0.25),
    "topk values": lambda y: y.topk(2, 1)[0], "sorted": lambda y: y.sort(0)[0], "quantile": lambda y: torch.quantile(y, 0.3, dim=1),
    "masked": lambda y: y * (y >= y.topk(2, 1).values[:, -1:]),
    "looked up": lambda y: torch.arange(200.0)[(y * 4).floor().long() + 90],
}


def drawn(program, kept, seed=3):
    """|a draw - the run|, the largest."""
    choices = Choices()
    with choices.recording():
        one = program(X * 1.0)
    with StochasticRounding(seed, choices.reader() if kept else None):
        other = program(X * 1.0)
    return float((one.double() - other.double()).abs().max())


@pytest.mark.parametrize("name", CHOOSING)
def test_a_draw_keeps_the_choice(name):
    assert drawn(CHOOSING[name], kept=True) == 0
    assert drawn(CHOOSING[name], kept=False) > 0  # the test could fail: without them another element is chosen


@pytest.mark.parametrize("name", CONTINUOUS)
def test_what_follows_from_a_choice_moves_by_its_rounding_only(name):
    assert drawn(CONTINUOUS[name], kept=True) < 1e-14


def test_a_draw_that_goes_another_way_chooses_for_itself():
    choices = Choices()
    with choices.recording():
        (X * 1.0).argmax(1)
    with StochasticRounding(3, choices.reader()):
        assert torch.equal(X.argmax(0), X.argmax(0)) and (X >= 0).any()


def test_the_backward_uses_the_choices_of_the_forward():
    def gradient(kept):
        x = X.clone().requires_grad_()
        choices = Choices()
        with choices.recording():
            (x * 1.0).max(1)[0].sum().backward()
        other = X.clone().requires_grad_()
        with StochasticRounding(3, choices.reader() if kept else None):
            (other * 1.0).max(1)[0].sum().backward()
        return float((x.grad - other.grad).abs().max())

    assert gradient(kept=True) < 1e-14 and gradient(kept=False) > 0.5


@pytest.mark.parametrize("exact", [
    lambda x: x.masked_fill(x > 1, -3.4e38), lambda x: x.topk(2, 1)[0], lambda x: x.median(1).values, lambda x: x.sort(1)[0],
    lambda x: x.floor(), lambda x: torch.relu(x), lambda x: x[x > 0], lambda x: x.repeat(2, 1), lambda x: x.tril(),
    lambda x: torch.nn.functional.embedding(torch.arange(4), x), lambda x: x.double(), lambda x: x.masked_select(x > 0),
    lambda x: x.scatter(1, torch.zeros(40, 1, dtype=torch.long), 1.0), lambda x: x.clone().index_put((torch.tensor([0]),), x[1]),
    lambda x: x.scatter_reduce(0, torch.zeros(40, 60, dtype=torch.long), x, "amax"), lambda x: x.norm(float("inf"), dim=1),
    lambda x: x.index_reduce(0, torch.zeros(40, dtype=torch.long), x, "amin"),
    lambda x: torch.segment_reduce(x, "max", lengths=torch.tensor([40])),
])
def test_what_does_not_round_is_not_moved(exact):
    one = exact(X)
    with StochasticRounding(1):
        assert torch.equal(exact(X), one)


@pytest.mark.parametrize("extreme", [lambda y: y.scatter_reduce(0, torch.zeros(40, 60, dtype=torch.long), y, "amax")[0],
                                     lambda y: y.norm(float("inf"), dim=1)])
def test_the_largest_has_a_gradient_in_a_draw(extreme):
    """On the way back torch asks which operand the result is equal to: of one that was moved none is, and 0 / 0 comes back."""
    x = X.clone().requires_grad_()
    with StochasticRounding(3):
        extreme(x * 1.0).sum().backward()
    assert x.grad.isfinite().all() and x.grad.any()


@pytest.mark.parametrize("rounds", [lambda x: x * 1.1, lambda x: x.sum(1), lambda x: x.norm(dim=1),
                                    lambda x: x.scatter_reduce(0, torch.zeros(40, 60, dtype=torch.long), x * 1.1, "sum"),
                                    lambda x: x.exp(), lambda x: x @ x.T,
                                    lambda x: (x * 1.1).float(), lambda x: x.new_zeros(60).index_put(
                                        (torch.tensor([0, 0]),), x[0, :2], accumulate=True)])
def test_what_rounds_is_moved(rounds):
    one = rounds(X)
    with StochasticRounding(1):
        assert not torch.equal(rounds(X), one)


def test_a_mask_at_the_end_of_the_range_does_not_overflow():
    lowest = torch.finfo(torch.float64).min
    masked = (X * 1.1).masked_fill(X > 1, lowest)
    with StochasticRounding(1):
        moved = masked * 1.0
    assert moved.isfinite().all() and not torch.equal(moved, masked)
    with StochasticRounding(1):
        assert torch.isinf(masked.masked_fill(X > 1, -torch.inf) * 1.0).any()  # what is infinite stays so


def test_the_bits_of_a_value_are_no_choice():
    choices = Choices()
    with choices.recording():
        (X * 1.0).to(torch.bfloat16).view(torch.int16)
    doubled = (X * 2.0).to(torch.bfloat16)
    with StochasticRounding(3, choices.reader()):
        doubled.view(torch.int16)
    assert torch.equal(doubled, (X * 2.0).to(torch.bfloat16))


def test_what_reads_a_value_leaves_it_as_it_is():
    """In a draw as elsewhere: the harness's own look at bfloat16 was taken for a choice of the program's, and put back."""
    choices = Choices()
    with choices.recording():
        first = FRAMEWORKS[0].array((X * 1.0).to(torch.bfloat16), copy=True)
        FRAMEWORKS[0].array((X * 2.0).to(torch.bfloat16), copy=True)
    with StochasticRounding(3, choices.reader()):
        doubled = (X * 2.0).to(torch.bfloat16)
        before = doubled.clone()
        read = FRAMEWORKS[0].array(doubled, copy=True)
    assert torch.equal(doubled, before) and not (read == first).all()

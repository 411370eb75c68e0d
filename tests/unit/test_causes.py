"""Causes are read off values: each names its own fault, and keeps quiet about another that looks like it."""

import linecache

import numpy as np
import pytest

from parity.trace.events import Event, Key
from parity.trace.source import Site
from parity.verdict.causes import CAUSES, Evidence, cause_of, cause_of_cut

RNG = np.random.default_rng(0)
ONES, ZEROS = np.ones(4), np.zeros(4)


def draw(*shape):
    return RNG.standard_normal(shape)


@pytest.fixture
def evidence(tmp_path):
    def make(reference, twin, ours="y = f(x)", theirs="y = f(x)", stage="forward", **held):
        events = []
        for text in (ours, theirs):
            file = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
            file.write_text(text + "\n")
            linecache.checkcache(str(file))  # another test's may have had its name
            key = Key(stage, 0, None, "net", 0, "", 0, "start" if stage == "state" else "output", 0)
            events.append(Event(key, 1, Site(str(file), 1), None))
        return Evidence(np.asarray(reference), np.asarray(twin), *events, held)

    return make


def said(found):
    return [cause.__name__ for cause in CAUSES if cause(found) is not None]


# --- momentum --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("share, named", [(0.9, True), (0.1 + 1e-8, False), (0.2, False), (0.8, False)])
def test_momentum_and_its_complement(evidence, share, named):
    start, batch = draw(4), draw(4)
    reference, twin = (start + part * (batch - start) for part in (0.1, share))
    found = evidence(reference, twin, "self.bn = nn.BatchNorm2d(4)", stage="state", start=start)
    assert said(found) == (["_momentum"] if named else [])
    assert ("1 - momentum" in (cause_of(found) or "")) == named


def test_momentum_as_it_is_written(evidence):
    start, batch = draw(4), draw(4)
    values = [start + part * (batch - start) for part in (0.3, 0.7)]
    assert said(evidence(*values, "self.bn = nn.BatchNorm2d(4, momentum=0.3)", stage="state", start=start)) == ["_momentum"]
    assert not said(evidence(*values, "self.bn = nn.BatchNorm2d(4)", stage="state", start=start))
    assert not said(evidence(*values, "self.bn = nn.BatchNorm2d(4, momentum=0.3)", stage="state"))  # where it started is unknown


# --- train and eval --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("affine", [True, False])
def test_a_norm_in_train_mode_against_one_in_eval_mode(evidence, share, affine):
    x, running = 2 + 3 * draw(6, 4, 5), {"running_mean": draw(4), "running_var": draw(4)**2 + 0.5}
    weights = {"weight": draw(4), "bias": draw(4)} if affine else {}

    def norm(mean, variance, weight=ONES, bias=ZEROS):
        mean, variance, weight, bias = (one[:, None] for one in (mean, variance, weight, bias))
        return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias

    train = norm(x.mean((0, 2)), x.var((0, 2)), **weights)
    # share 1: eval mode. Else the batch's statistics with some of the others in them: no norm takes these.
    other = norm(running["running_mean"], running["running_var"], **weights) * share + (1 - share) * np.tanh(train)
    for sides, side in (((train, other), "the reference normalises"), ((other, train), "the twin normalises")):
        found = evidence(*sides, **running, **weights)
        assert said(found) == (["_statistics"] if share == 1 else [])
        assert (side in (cause_of(found) or "")) == (share == 1)
    assert not said(evidence(train, other))  # no running statistics are known


def test_a_norm_without_its_weights_is_in_no_mode(evidence):
    running = {"running_mean": draw(4), "running_var": draw(4)**2 + 0.5}
    x, weight, bias = draw(6, 4, 5), draw(4)[:, None]**2, draw(4)[:, None]
    x = (x - x.mean((0, 2))[:, None]) / x.std((0, 2))[:, None]
    for twin in (x, x * weight, x + bias, x * weight * 1.01 + bias):
        assert not said(evidence(x * weight + bias, twin, **running, weight=weight[:, 0], bias=bias[:, 0]))


# --- axes ------------------------------------------------------------------------------------------------------------

def test_batch_and_time(evidence):
    x = draw(5, 3, 8)
    assert "batch first" in cause_of(evidence(x, x.swapaxes(0, 1)))
    assert said(evidence(draw(4, 4, 2), draw(4, 4, 2))) == []
    assert said(evidence(x, x.swapaxes(1, 2))) == [] == said(evidence(x, x.reshape(3, 5, 8)))


def recurrent(x, two_ways=False):
    """Sums along the first axis, as a recurrent layer goes; and backwards beside them."""
    forward = np.tanh(np.cumsum(x, 0))
    return np.concatenate([forward, np.tanh(np.cumsum(x[::-1], 0))[::-1]], -1) if two_ways else forward


@pytest.mark.parametrize("two_ways", [False, True])
@pytest.mark.parametrize("ours, theirs, named", [
    ("nn.LSTM(8, 8)", "nn.LSTM(8, 8)", True), ("nn.LSTM(8, 8, batch_first=True)", "nn.LSTM(8, 8)", False),
    ("nn.GRU(8, 8, batch_first=True)", "nn.GRU(8, 8, time_major=True)", True),
    ("nn.GRU(8, 8)", "nn.GRU(8, 8, time_major=True)", False), ("nn.Linear(8, 8)", "nn.Linear(8, 8)", False)])
def test_a_recurrent_layer_along_the_other_axis(evidence, ours, theirs, named, two_ways):
    x = draw(5, 3, 8)
    left, right = recurrent(x, two_ways), recurrent(x.swapaxes(0, 1), two_ways).swapaxes(0, 1)
    found = evidence(left, right, f"self.rnn = {ours}", f"self.rnn = {theirs}")
    assert said(found) == (["_time"] if named else [])
    assert not said(evidence(left, left * 1.01, f"self.rnn = {ours}", f"self.rnn = {theirs}"))


def test_split_by_size_and_by_number(evidence):
    x = draw(2, 6)
    statement = "gate, value = {}.split(x, 2, {}=1)"
    ours, theirs = statement.format("torch", "dim"), statement.format("paddle", "axis")
    assert "split(2)" in cause_of(evidence(x[:, :2], x[:, :3], ours, theirs))
    assert not said(evidence(x[:, :2], x[:, :3]))  # shapes differ, but nothing is split
    assert not said(evidence(x[:, :2], x[:, 3:], ours, theirs))  # other values
    assert not said(evidence(x[:, :2], x[:, :3], ours, theirs.replace("2", "3")))  # another number: it is written otherwise


def test_the_order_of_padding(evidence):
    x, statement = draw(1, 2, 3, 4), "y = F.pad(x, (1, 1, 2, 2))"
    wide, high = (np.pad(x, ((0, 0), (0, 0), rows, columns)) for rows, columns in (((1, 1), (2, 2)), ((2, 2), (1, 1))))
    assert "other axes" in cause_of(evidence(wide, high, statement))
    assert not said(evidence(wide, 2 * high, statement)) and not said(evidence(wide, high))
    assert not said(evidence(np.pad(x, 1), x, statement))  # no padding at all


# --- what is missing -------------------------------------------------------------------------------------------------

def test_a_dropout_on_one_side(evidence):
    x = draw(4, 25)
    kept = RNG.random(x.shape) < 0.75
    assert "a dropout of rate 0.25 acts in the twin alone" in cause_of(evidence(x, np.where(kept, x / 0.75, 0)))
    assert "in the reference alone" in cause_of(evidence(np.where(kept, x / 0.75, 0), x))
    assert not said(evidence(x, np.where(kept, x, 0)))  # a mask
    assert not said(evidence(x, np.where(kept, x * RNG.uniform(1, 2, x.shape), 0))) and not said(evidence(x, np.maximum(x, 0)))


def test_the_row_of_padding_idx(evidence):
    table, tokens = draw(5, 3), np.array([[1, 0, 2], [0, 0, 4]])
    full = table[tokens]
    empty = np.where((tokens == 0)[..., None], 0, full)
    assert "padding_idx" in cause_of(evidence(full, empty))
    for number, other in enumerate((np.where((tokens < 2)[..., None], 0, full), 1.1 * empty)):  # two rows; another table
        assert not said(evidence(full, other)), number
    gradient = draw(5, 3)
    without = gradient.copy()
    without[0] = 0
    embedding = "self.embedding = nn.Embedding(5, 3, padding_idx=0)"
    assert said(evidence(gradient, without, embedding)) == ["_padding_row"] and not said(evidence(gradient, without))


# --- factors ---------------------------------------------------------------------------------------------------------

def averages(x, counted):
    """Windows of 3, stride 1, padding 1."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    ones = np.lib.stride_tricks.sliding_window_view(np.pad(np.ones_like(x), ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    return windows.sum((-2, -1)) / (9 if counted else ones.sum((-2, -1)))


def test_padding_in_the_count(evidence):
    x = draw(2, 3, 6, 5)
    with_padding, without = averages(x, True), averages(x, False)
    assert "the twin's leaves it out" in cause_of(evidence(with_padding, without))
    assert "the reference's leaves it out" in cause_of(evidence(without, with_padding))
    other = with_padding.copy()
    other[..., 0, :] *= np.pi  # the border, but by no ratio of counts
    assert not said(evidence(with_padding, other)) and not said(evidence(with_padding, 2 * with_padding))
    assert not said(evidence(averages(x, True), averages(np.roll(x, 1, 2), True)))


def test_beta_and_delta(evidence):
    loss, statement = draw(6) ** 2, "loss = F.smooth_l1_loss(x, y, reduction='none', beta=0.25)"
    assert "Huber" in cause_of(evidence(loss, 0.25 * loss, statement))
    assert cause_of(evidence(loss, 0.5 * loss, statement)) == "the twin's values are the reference times 0.5"
    assert cause_of(evidence(loss, 0.25 * loss, "loss = F.mse_loss(x, y)")) == "the twin's values are the reference times 0.25"


# --- likenesses ------------------------------------------------------------------------------------------------------

def test_a_factor_that_explains_nothing_is_not_named(evidence):
    x = draw(50)
    assert cause_of(evidence(x, x + 1e-13 * draw(50))) is None  # it was: "the reference times 1"
    assert cause_of(evidence(x, x * (1 - 3e-7))) == "the twin's values are the reference times (1 - 3e-07)"
    assert cause_of(evidence(x, x.astype(complex))) is None and cause_of(evidence(x, np.full(50, np.nan))) is None


# --- graphs that end -------------------------------------------------------------------------------------------------

WITH, WITHOUT = "slope = torch.autograd.grad(y.sum(), x, create_graph=True)[0]", "slope = paddle.grad(\n    y.sum(),\n    x,\n)[0]"


@pytest.mark.parametrize(("ours", "theirs", "named"), [
    (WITH, WITHOUT, True), (WITH, WITHOUT.replace("x,", "x, create_graph=False"), True),
    (WITH, WITHOUT.replace("x,", "x, None, None, True"), False), (WITH, WITHOUT.replace("x,", "x, create_graph=keep"), False),
    (WITH, "slope = slopes(y, x)", False), ("slope = slopes(y, x)", WITHOUT, False),
    (WITHOUT, WITHOUT, False),
])
def test_a_gradient_without_a_graph(evidence, ours, theirs, named):
    found = evidence(draw(2), draw(2), ours, theirs)
    assert ("without create_graph=True" in cause_of_cut(found.event, found.partner, "twin")) == named
    assert "without create_graph=True" not in cause_of_cut(found.event, found.partner, "reference")


# --- pictures in a batch ---------------------------------------------------------------------------------------------

def test_a_batch_of_pictures_is_told_by_its_channels_and_nothing_else_is(evidence):
    batch = RNG.random((2, 3, 8, 9))
    assert "BGR against RGB" in cause_of(evidence(batch, batch[:, ::-1], stage="data"))
    assert "BGR" not in (cause_of(evidence(batch, batch[:, ::-1])) or "")  # channels of a feature map are no colours
    assert "[0, 255]" in cause_of(evidence(batch, 255 * batch, stage="data"))

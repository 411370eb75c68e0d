"""Masks of other numbers that hide the same, and sums of the same terms in another order: neither is the place of a mistake."""

from types import SimpleNamespace

import numpy as np
import pytest

from parity.trace.events import Event
from parity.trace.source import Site
from parity.verdict.findings import Report
from parity.verdict.judge import Judge
from parity.verdict.masks import hide_the_same
from parity.verdict.sinks import Against
from tests.unit.events import key, store

LOWEST = float(np.finfo(np.float64).min)
MASK = np.array([[0.0, 0.0, LOWEST, LOWEST], [0.0, 0.5, 0.25, LOWEST]])


def otherwise(**changed):
    mask = np.where(MASK < -1, changed.pop("hidden", -1e4), MASK)
    for place, value in changed.items():
        mask[int(place[1]), int(place[2])] = value
    return mask


@pytest.mark.parametrize(("theirs", "same"), [
    (otherwise(), True), (otherwise(hidden=LOWEST / 2), True),
    (otherwise(hidden=-100.0), False),  # something is left of it in a softmax
    (otherwise(_00=0.25), False), (otherwise(_02=0.0), False), (otherwise(_01=-1e4), False), (MASK[:, :3], False),
    (MASK * 1e6, False), (np.where(MASK < -1, -np.inf, MASK), False)])
def test_what_masks_hide(theirs, same):
    assert hide_the_same(MASK, theirs) is same and hide_the_same(theirs, MASK) is same


@pytest.mark.parametrize(("changed", "same"), [({}, True), ({"_01": -1e4}, False), ({"_00": 0.25}, False)])
def test_a_mask_may_be_repeated_for_each_head(changed, same):
    ours = np.stack([MASK, MASK[::-1]])[:, None]  # (batch, 1, queries, keys)
    theirs = np.stack([otherwise(), otherwise(), otherwise()[::-1], otherwise(**changed)[::-1]])
    for many in (theirs, theirs.reshape(2, 2, *MASK.shape)):
        assert hide_the_same(ours, many) is same and hide_the_same(many, ours) is same
    assert not hide_the_same(ours, theirs[:3]) and not hide_the_same(ours, theirs[[0, 2, 1, 3]])


def test_large_numbers_that_lie_far_apart_are_no_mask():
    """Counts of draws, activations."""
    counts = np.array([[0.0, 900.0, 1800.0], [3.0, 1000.0, 2.0]])
    assert not hide_the_same(counts, np.where(counts < 5, counts + 1, counts))
    assert not hide_the_same(counts - 2000, np.where(counts < 5, counts + 1, counts) - 2000)


def test_of_a_row_that_is_hidden_as_a_whole_a_softmax_shows_what_is_left():
    row = np.array([[0.0, LOWEST], [LOWEST, LOWEST]])
    assert not hide_the_same(row, np.where(row < -1, -1e4, row)) and not hide_the_same(None, row)


OWN = SimpleNamespace(names={}, one_sided=frozenset(), twin_source=())  # not written line for line
A, B, C = (np.random.default_rng(seed).standard_normal((2, 5)) for seed in range(3))


def first_of(values, file="model.py"):
    """The first divergence of {key: (reference, twin)}, a line each."""
    sides = [[Event(where, order, Site(str(file), order + 1), np.asarray(pair[side])) for order, (where, pair)
              in enumerate(values.items()) if pair[side] is not None] for side in (0, 1)]
    truth = store(*sides[0])
    floors = dict.fromkeys(truth.events, 1e-9)
    against = Against(truth, floors, 16.0, printing=True)
    for event in sides[1]:
        against.receive(event)
    report = Report("net")
    Judge("net", OWN, "float64", "free", truth, floors, 16.0).judge(against, None, report)
    assert sum(report.counts.values()) >= len(values)
    return report.first and (report.first.key.module, report.first.key.variable, report.first.twin.line)


@pytest.mark.parametrize(("mask", "place"), [(otherwise(), ("net", "h", 2)), (otherwise(_01=-1e4), ("net.attn", "input[1]", 1))])
def test_a_mask_that_hides_the_same_is_not_the_place_of_what_goes_wrong_behind_it(mask, place, tmp_path):
    file = tmp_path / "net.py"
    file.write_text("def forward(self, x, mask):\n    h = self.attn(x, mask)\n    return h\n")
    values = {key("input[1]", "net.attn"): (MASK, mask), key("h", function="forward"): (A, B), key("output"): (A, B)}
    assert first_of(values, file) == place


SUMS = ["def forward(self, a, b, c):", "    a = self.a(a)", "    h = a + b", "    h = h - c", "    return h"]


@pytest.mark.parametrize(("made", "place"), [
    ((A + C, A + B), ("net", "h", 4)),  # all that is wrong is the sign behind it
    ((A + C, A + 2 * B), ("net", "h", 3)),
    ((A + C, A - B), ("net", "h", 3))])
def test_a_sum_of_two_terms_that_both_have_is_not_the_place(made, place, tmp_path):
    file = tmp_path / "net.py"
    file.write_text("\n".join(SUMS) + "\n")
    values = {key("output", "net.a"): (A, A), key("a", function="forward"): (A, A), key("h", function="forward"): made,
              key("h", function="forward", occurrence=1): (A + B + C, A + B - C), key("output"): (A + B + C, A + B - C),
              key("output", "net.b"): (B, B), key("output", "net.c"): (C, C)}
    assert first_of(values, file) == place

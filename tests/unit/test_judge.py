"""Verdicts on runs made by hand: what is same, noise, diverged and uncompared, and what a report's headline is."""

import numpy as np
import pytest

from parity.numbers.arrays import Verdict
from parity.verdict.findings import NothingCompared, Report, merge
from tests.unit.events import event, finding, judged, key

NAN = float("nan")


@pytest.mark.parametrize(("distance", "verdict"), [(0, "same"), (1, "same"), (1.01, "noise"), (16, "noise"), (16.01, "diverged")])
def test_one_floor_is_same_and_m_floors_are_noise(distance, verdict):
    report = judged([event(key(), [0.0, 3.0])], [event(key(), [0.0, 3.0 + distance])])
    assert [v.value for v, count in report.counts.items() if count] == [verdict]
    assert report.verdict == ("diverged" if verdict == "diverged" else "same")


def test_without_a_floor_any_difference_is_one():
    """Of integers and truth values: nothing of them is noise."""
    truth = [event(key(), [3, 4])]
    assert judged(truth, [event(key(), [3, 5])], floor=0.0).counts == {Verdict.DIVERGED: 1}
    assert judged(truth, [event(key(), [3, 4])], floor=0.0).counts == {Verdict.SAME: 1}


@pytest.mark.parametrize("twin", [[1.0, NAN], [NAN, 2.0], [1.0, np.inf]])
def test_a_nan_on_one_side_is_no_noise_whatever_the_floor(twin):
    assert judged([event(key(), [1.0, 2.0])], [event(key(), twin)], floor=1e300).verdict == "diverged"


def test_nothing_but_nan_was_not_compared():
    report = judged([event(key(), [NAN, NAN])], [event(key(), [NAN, NAN])])
    assert report.counts == {Verdict.UNCOMPARED: 1}
    with pytest.raises(NothingCompared):
        assert report.verdict
    beside = judged([event(key(), [NAN, 1.0])], [event(key(), [NAN, 1.0])])
    assert beside.counts == {Verdict.SAME: 1}


def test_nothing_compared_is_no_pass():
    with pytest.raises(NothingCompared):
        assert judged([], []).verdict
    unseen = judged([event(key(), [1.0])], [event(key(), [1.0])])
    unseen.unseen = "the output is of no known kind"
    with pytest.raises(NothingCompared, match="no known kind"):
        assert unseen.verdict


@pytest.mark.parametrize(("function", "verdict"), [("", Verdict.DIVERGED), ("forward", Verdict.UNCOMPARED)])
@pytest.mark.parametrize("only", ["reference", "twin"])
def test_a_value_on_one_side_only(function, verdict, only):
    """At a module's border it is a divergence; a local variable is uncompared."""
    both, odd = event(key("input[0]"), [1.0], 0), event(key("x", function=function), [1.0], 1)
    again = event(key("input[0]"), [1.0], 0)
    report = judged([both, odd], [again]) if only == "reference" else judged([both], [again, odd])
    assert report.counts == {Verdict.SAME: 1, verdict: 1} and report.findings[0].key == odd.key


def test_a_gradient_that_does_not_exist_and_one_of_zeros_are_the_same_of_an_activation_alone():
    both = event(key(), [1.0], 0)
    for variable, counts in (("output", {Verdict.SAME: 1}), ("weight", {Verdict.SAME: 1, Verdict.DIVERGED: 1})):
        where = key(variable, stage="gradients")
        assert judged([both, event(where, [0.0, 0.0], 1)], [event(key(), [1.0], 0)]).counts == counts
        assert judged([both], [event(key(), [1.0], 0), event(where, [0.0, 0.0], 1)]).counts == counts


def test_what_a_replay_hands_over_is_not_the_twins():
    where = key(stage="gradients")
    wrong = [event(key(), [1.0], 0), event(where, [5.0], 1)], [event(key(), [1.0], 0), event(where, [500.0], 1)]
    assert judged(*wrong, run="replay").counts == {Verdict.SAME: 1}
    assert judged(*wrong, run="free").counts == {Verdict.SAME: 1, Verdict.DIVERGED: 1}


def test_the_last_good_value_stands_before_the_first_bad_one():
    names = ["a", "b", "c", "d"]
    truth = [event(key(name), [float(order)], order) for order, name in enumerate(names)]
    twin = [event(key(name), [order + (100.0 if name in "bd" else 0.0)], order) for order, name in enumerate(names)]
    report = judged(truth, twin)
    assert report.first.key.variable == "b" and [found.last_good for found in report.findings] == ["forward net a"] * 2


def test_an_exception_of_the_twin_stands_behind_what_it_had_reached():
    truth = [event(key(name), [0.0], order) for order, name in enumerate("abc")]
    report = judged(truth, [event(key("a"), [0.0])], failure=ValueError("no such thing"))
    assert "ValueError: no such thing" in report.first.deviation.trouble and report.first.key.variable == "(exception)"
    assert report.verdict == "diverged"


def test_a_local_that_diverges_alone_is_another_way_of_writing_it():
    """Only its own gradient is another, all that leaves the module agrees; a wrong parameter's gradient beside it is a fault."""
    local, weight = key("h", stage="gradients", function="forward"), key("weight", stage="gradients")
    truth = [event(key(), [1.0], 0), event(local, [1.0], 1), event(weight, [1.0], 2)]

    def twin(gradient):
        return [event(key(), [1.0], 0), event(local, [900.0], 1), event(weight, [gradient], 2)]

    assert judged(truth, twin(1.0)).counts == {Verdict.SAME: 2, Verdict.UNCOMPARED: 1}
    assert judged(truth, twin(500.0)).counts == {Verdict.SAME: 1, Verdict.DIVERGED: 2}


# --- the headline ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [
    (finding(key("weight", stage="census"), 9), finding(key("data"), 0)),  # the census comes first
    (finding(key("census", stage="census"), 9, lane="float32"), finding(key("data"), 0)),
    (finding(key("late"), 7), finding(key("early"), 1, lane="float32")),  # whether they are the same, before how accurate
    (finding(key("late"), 7), finding(key("early"), 1, run="replay")),  # what a user sees, before what a replay adds
    (finding(key("late", step=1), 7), finding(key("early", step=2), 1)),
    (finding(key("early"), 1), finding(key("late"), 2)),
    (finding(key("late"), 2), finding(key("early"), 1, verdict=Verdict.NOISE)),
    (finding(key("late"), 2, distance=1e-9), finding(key("later"), 3, distance=1e9)),  # the earliest, not the largest
])
def test_the_headline_is_the_earliest_divergence(first, second):
    for findings in ([first, second], [second, first]):
        assert Report("net", findings).first is first


def test_without_a_divergence_there_is_no_headline():
    assert Report("net", [finding(key(), 1, verdict=Verdict.UNCOMPARED)]).first is None


def places(*findings):
    return [found.key.module for found in Report("net", list(findings)).places]


def test_independent_places_are_the_modules_that_go_wrong_although_their_inputs_are_right():
    first, second = (finding(key(module=module), order, run="replay") for order, module in enumerate(["net.a", "net.c"]))
    free = [finding(key(module=module), order) for order, module in enumerate(["net.a", "net.b", "net.c"])]  # b is fed by a
    assert places(*free, first, second) == ["net.a", "net.c"]
    assert places(*free) == ["net.a"]


def test_what_a_module_is_fed_is_made_by_the_one_around_it():
    fed = finding(key("input[0]", "net.block.conv"), 1, run="replay")
    out = finding(key("output", "net.block.conv"), 2, run="replay")
    around = finding(key("h", "net.block", function="forward"), 3, run="replay")  # the same fault, a line later
    assert [found.key for found in Report("net", [fed, out, around]).places] == [fed.key]


def test_a_gradient_that_came_back_is_no_place_of_its_own():
    """The same wrong value arrives at a local of the module before: the one that it came back from made it."""
    made = finding(key("input[0]", "net.b", "gradients"), 1, run="replay")
    arrived = finding(key("h", "net.a", "gradients", function="forward"), 2, run="replay")
    assert places(made, arrived) == ["net.b"]


def test_places_are_of_one_lane():
    double = finding(key(module="net.a"), 1, run="replay")
    single = finding(key(module="net.b"), 0, run="replay", lane="float32")
    assert places(single, double) == ["net.a"]


def test_a_merged_report_counts_all_and_keeps_the_largest():
    one = judged([event(key("a"), [4.0])], [event(key("a"), [6.0])])
    other = judged([event(key("b"), [4.0])], [event(key("b"), [400.0])])
    whole = merge("both", [one, other])
    assert whole.counts == {Verdict.NOISE: 1, Verdict.DIVERGED: 1} and whole.verdict == "diverged" and whole.compared == 2
    assert whole.largest == {"float64 free": {"forward": 99.0}} and whole.multiples == {"float64 free": {"forward": 396.0}}
    assert whole.first.key.variable == "b"

"""Verdicts on runs made by hand: what is same, noise, diverged and uncompared, and what a report's headline is."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION
from parity.verdict.findings import NothingCompared, Report, merge
from tests.unit.events import event, finding, judged, key

NAN = float("nan")


@pytest.mark.parametrize(("distance", "verdict"), [(0, "same"), (1, "same"), (1.01, "noise"), (16, "noise"), (16.01, "diverged")])
def test_one_floor_is_same_and_m_floors_are_noise(distance, verdict):
    report = judged([event(key(), [0.0, 3.0])], [event(key(), [0.0, 3.0 + distance * 2.0**-30])], floor=2.0**-30)
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


@pytest.mark.parametrize(("x", "returned", "first"), [(900.0, 1.0, "(exception)"), (900.0, 500.0, "x")])
def test_what_is_raised_on_the_way_back_comes_before_the_gradients_that_are_not_there(x, returned, first):
    """And behind all that went wrong on the way there: what agrees in the end did not."""
    def ran(x, returned):
        return [event(key("x", function="forward"), [x], 0), event(key(), [returned], 1)]

    truth = [*ran(1.0, 1.0), event(key("weight", stage="gradients"), [1.0], 2)]
    report = judged(truth, ran(x, returned), failure=ValueError("no such thing"),
                    pair=SimpleNamespace(names={}, one_sided=frozenset(), twin_source=()))
    assert report.first.key.variable == first and report.counts[Verdict.DIVERGED] == (2 if first == "(exception)" else 4)


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


def test_what_is_handed_on_and_on_is_one_place():
    """A wrong local, handed to a block in a list, which hands it to its norm."""
    made = finding(key("x", "net", function="forward"), 1, run="replay")
    block, norm = (finding(key("input[0]", module), order, run="replay")
                   for order, module in enumerate(["net.blocks.0", "net.blocks.0.norm"], 2))
    assert places(made, block, norm) == ["net"]
    assert places(block, norm) == ["net.blocks.0"]
    assert places(made, norm) == ["net", "net.blocks.0.norm"]  # the block was handed what is right


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


def test_one_mistake_is_one_place_though_its_gradient_goes_on():
    """What comes back from a norm with another epsilon is wrong at the layer before it too, and at the program's input."""
    norm = [finding(key("output", "net.block.norm"), 1, run="replay"),
            finding(key("input[0]", "net.block.norm", "gradients"), 5, run="replay", distance=2.0)]
    after = [finding(key("output", "net.block.conv", "gradients"), 6, run="replay", distance=3.0),  # permuted on its way
             finding(key("gamma", "net.block", "gradients"), 7, run="replay", distance=4.0),
             finding(key("input[0]", stage="gradients"), 8, run="replay", distance=5.0)]
    assert places(*norm, *after) == ["net.block.norm"]


def test_a_programs_input_that_is_a_modules_has_one_gradient():
    """One value under two names, the outer first."""
    whole = finding(key("input[0]", stage="gradients"), 5, run="replay", distance=2.0)
    norm = [finding(key("output", "net.norm"), 1, run="replay"),
            finding(key("input[0]", "net.norm", "gradients"), 6, run="replay", distance=2.0)]
    assert places(*norm, whole) == ["net.norm"]
    other = finding(key("input[0]", stage="gradients"), 5, run="replay", distance=3.0)
    assert places(*norm, other) == ["net.norm", "net"]


def test_a_gradient_that_goes_wrong_before_another_came_back_is_a_place_of_its_own():
    """Backward reached the block's own mistake first: nothing of the norm's is in it."""
    own = finding(key("output", "net.block.conv", "gradients"), 4, run="replay", distance=3.0)
    norm = [finding(key("output", "net.block.norm"), 1, run="replay"),
            finding(key("input[0]", "net.block.norm", "gradients"), 5, run="replay", distance=2.0)]
    assert len(places(own, *norm)) == 2
    beside = finding(key("input[0]", "net.blocks.norm", "gradients"), 5, run="replay", distance=2.0)
    assert places(beside, finding(key("gamma", "net.block", "gradients"), 6, run="replay", distance=4.0)) == [
        "net.blocks.norm", "net.block"]


def test_what_the_census_said_is_not_said_again():
    census = finding(key("rho", stage="census"), -1)
    state = finding(key("rho", stage="state"), 9, run="replay")
    assert [found.key for found in Report("net", [census, state]).places] == [census.key]
    other = finding(key("u", stage="state"), 9, run="replay")
    assert [found.key for found in Report("net", [census, other]).places] == [other.key]


def test_places_are_of_one_lane():
    double = finding(key(module="net.a"), 1, run="replay")
    single = finding(key(module="net.b"), 0, run="replay", lane="float32")
    assert places(single, double) == ["net.a"]


def test_a_merged_report_counts_all_and_keeps_the_largest():
    floor = 2.0**-30
    one = judged([event(key("a"), [4.0])], [event(key("a"), [4.0 + 2 * floor])], floor=floor)
    other = judged([event(key("b"), [4.0])], [event(key("b"), [4.0 + 396 * floor])], floor=floor)
    whole = merge("both", [one, other])
    assert whole.counts == {Verdict.NOISE: 1, Verdict.DIVERGED: 1} and whole.verdict == "diverged" and whole.compared == 2
    assert whole.largest == {"float64 free": {"forward": 99 * floor}} and whole.multiples == {"float64 free": {"forward": 396.0}}
    assert whole.first.key.variable == "b"


# --- what could not be seen -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("distance", "verdict"), [(0.5, "undecided"), (1e-7, "same"), (20.0, "diverged")])
def test_a_floor_as_large_as_the_value_decides_nothing_but_that_they_agree(distance, verdict):
    assert judged([event(key(), [3.0])], [event(key(), [3.0 + distance])], floor=1.0).verdict == verdict


def test_what_is_left_of_a_cancellation_is_measured_beside_what_cancelled():
    """The gradient of a bias before a norm: rounding alone, on both sides."""
    bias = key("bias", stage="gradients")
    healthy = [event(bias, [1e-17], scale=0.1, largest=1e-17)], [event(bias, [-2e-17])]
    assert judged(*healthy, floor=1e-16).verdict == "same"
    assert judged([event(bias, [0.1], scale=0.1, largest=0.1)], [event(bias, [0.12])], floor=0.1).verdict == "undecided"


@pytest.mark.parametrize("where", [key(module="net.inner"), key("hidden", function="forward"), key("running_mean", stage="state"),
                                   key("input[0]", "net.inner", stage="gradients")])
def test_only_what_same_promises_costs_it(where):
    report = judged([event(where, [3.0]), event(key(), [1.0])], [event(where, [3.5]), event(key(), [1.0])], floor=1.0)
    assert report.counts[Verdict.UNDECIDED] == 1 and report.verdict == "same"


@pytest.mark.parametrize("where", [key(), key("weight", "net.fc", stage="gradients"), key("input[0]", stage="gradients"),
                                   key("weight", "net.fc", stage="update", step=1), key("loss", "", stage="losses")])
def test_what_same_promises(where):
    assert judged([event(where, [3.0])], [event(where, [3.5])], floor=1.0).verdict == "undecided"


def test_what_was_decided_elsewhere_is_noise():
    report = judged([event(key(), [3.0])], [event(key(), [3.5])], floor=1.0)
    report.settle(lambda finding: finding.key != key(), "not this one")
    assert report.verdict == "undecided"
    report.settle(lambda finding: finding.key == key(), "seen in replay")
    assert report.verdict == "same" and report.findings[0].cause == "seen in replay" and report.compared == 1


# --- results ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "verdict"), [("int64", "diverged"), ("int32", "same"), ("float64", "diverged"),
                                                ("uint8", "diverged")])
def test_a_result_of_another_dtype_is_another_result(dtype, verdict):
    assert judged([event(key(), np.array([1, 2], "int32"))], [event(key(), np.array([1, 2], dtype))]).verdict == verdict


def test_inside_of_a_program_an_index_may_be_of_any_integers():
    inner = key(module="net.inner")
    report = judged([event(inner, np.array([1], "int32"))], [event(inner, np.array([1], "int64"))])
    assert report.verdict == "same"


@pytest.mark.parametrize(("twin", "verdict"), [("cat", "same"), ("dog", "diverged")])
def test_texts_are_equal_or_not(twin, verdict):
    assert judged([event(key(), np.array("cat"))], [event(key(), np.array(twin))]).verdict == verdict


def test_a_result_of_no_known_kind_costs_the_same():
    one = event(key("output[1]"), None, unknown="builtins.function")
    report = judged([event(key("output[0]"), [1.0]), one], [event(key("output[0]"), [1.0]), one])
    assert report.verdict == "undecided" and "builtins.function" in report.undecided[0].deviation.trouble
    assert judged([event(key("output[0]"), [1.0])], [event(key("output[0]"), [1.0])]).verdict == "same"


OWN = SimpleNamespace(names={}, one_sided=frozenset(), twin_source=())  # not written line for line


def test_what_is_written_in_another_way_inside_is_no_difference():
    inner = key("input[0]", "net.position")
    healthy = [event(inner, np.ones((1, 5))), event(key(), [1.0])], [event(inner, np.ones((2, 5))), event(key(), [1.0])]
    assert judged(*healthy, pair=OWN).verdict == "same"
    assert judged(*healthy).verdict == "diverged"  # of programs that are, it is one
    wrong = [event(inner, np.ones((1, 5))), event(key(), [1.0])], [event(inner, np.ones((2, 5))), event(key(), [2.0])]
    report = judged(*wrong, floor=1e-9, pair=OWN)
    assert report.verdict == "diverged"


def test_a_gradient_that_an_input_loses_is_a_difference():
    """The twin detaches what it is given."""
    given, back = key("input[0]"), key("input[0]", stage="gradients")
    truth = [event(given, [1.0]), event(key(), [1.0], 1), event(back, [0.5], 2)]
    assert judged(truth, [event(given, [1.0]), event(key(), [1.0], 1)], pair=OWN).verdict == "diverged"
    assert judged(truth, [event(given, [1.0]), event(key(), [1.0], 1), event(back, [0.5], 2)], pair=OWN).verdict == "same"


@pytest.mark.parametrize(("order", "line"), [(0, 4), (2.5, 3.5)])
def test_an_operation_behind_a_value_that_agrees_but_for_rounding_is_not_blamed(order, line):
    """The reference alone calls a norm's function: inside an earlier module, whose output agrees; or at the very place."""
    layers = [event(key("output", "net.first"), [1.0], 1), event(key("input[0]", "net.norm"), [1.0], 2),
              event(key("output", "net.norm"), [1.0], 3), event(key(), [1.0], 4)]
    alone = event(key("layer_norm", "net", function=OPERATION), [7.0], order)
    twin = [replace(one, array=one.array + distance) for one, distance in zip(layers, [3e-9, 3e-9, 1.0, 1.0], strict=True)]
    first = judged([alone, *layers], twin, floor=1e-9, pair=OWN).first
    assert (first.key.module, first.reference.line, bool(first.cause)) == ("net.norm", line, order > 2)


def test_the_moments_of_a_gradient_that_cancels_are_measured_beside_the_others():
    bias, weight = (key(f"{name}.exp_avg", "net.conv", stage="update", step=1) for name in ("bias", "weight"))
    healthy = ([event(bias, [1e-17], scale=1e-17), event(weight, [0.1], scale=0.1)], [event(bias, [-2e-17]), event(weight, [0.1])])
    assert judged(*healthy, floor=1e-16).verdict == "same"
    alone = [event(bias, [1e-17], scale=1e-17)], [event(bias, [-2e-17])]
    assert judged(*alone, floor=1e-16).verdict == "undecided"


@pytest.mark.parametrize(("entered", "verdict"), [(1.0, "same"), (0.0, "undecided")])
def test_what_a_cancellation_leaves_is_measured_beside_what_cancelled(entered, verdict):
    where = key("output")
    assert judged([event(where, [1e-10], scale=entered)], [event(where, [2e-10])], floor=1e-9).verdict == verdict

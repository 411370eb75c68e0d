"""With as few runs as it takes, and the answers of all of them: what the first pass settles, what it leaves open."""

from collections import Counter

import numpy as np
import paddle
import pytest
import torch
from toys import between, numbers, subject

from parity.compare import ladder, one_pass, runner
from parity.compare.ladder import Both, compare
from parity.compare.results import Case
from parity.declare.pair import Pair
from parity.differences import explain
from parity.files import InputError
from parity.fixes.edit import Edit, applied
from parity.trace.source import SourceTree
from parity.verdict.floors import UNMOVED
from parity.verdict.sinks import Store
from parity.verdict.spill import Spill

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__))
FREE = Pair("free", SourceTree(__file__), SourceTree(__file__), names={})  # not line for line the same
FAULT = Edit("toys:PaddleNorm.forward", "var + 2**-16", "var + 2**-13")


@pytest.fixture
def runs(monkeypatch):
    """(lane, what) of each run of the reference; what: pass, truth, draw, and their replays."""
    made = []
    original = Both.reference

    def reference(both, dtype, sink, *, draw=UNMOVED, replayed=None, measure=None, **options):
        what = "draw" if draw.number is not None else "pass" if measure else "truth" if sink.keeps else "unmoved"
        made.append((dtype, what + (", replayed" if replayed is not None else "")))
        original(both, dtype, sink, draw=draw, replayed=replayed, measure=measure, **options)

    monkeypatch.setattr(Both, "reference", reference)
    return made


def settled(chosen, mode="train", **options):
    (result,) = runner.run([Case("net", mode, chosen)], lanes=options.pop("lanes", ("float64", "float32")), **options)
    return result.report


def test_one_pass_settles_the_float64_lane_of_a_healthy_twin_and_no_draw_is_made(runs):
    assert settled(subject()).verdict == "same"
    assert runs == [("float64", "pass"), ("float32", "unmoved"), ("float32", "unmoved, replayed")]


def test_quick_is_one_pass(runs):
    assert settled(subject(), quick=True).verdict == "same" and runs == [("float64", "pass")]


def test_the_first_place_is_told_before_anything_is_measured_and_accuracy_is_not_asked_for(runs):
    told = []
    with applied((FAULT,)):
        report = settled(subject(), found=lambda case, first: told.append((first, len(runs))))
    ((first, made),) = told
    assert report.verdict == "diverged" and report.first.key == first.key and "draw" not in dict(runs[:made]).values()
    assert {lane for lane, _ in runs} == {"float64"} and {finding.lane for finding in report.findings} == {"float64"}


def test_what_is_beyond_doubt_is_measured_by_one_draw_and_what_is_not_by_all(runs):
    with applied((FAULT,)):
        far = settled(subject(), lanes=("float64",))
    assert far.verdict == "diverged" and Counter(what for _, what in runs)["draw"] == 1
    runs.clear()
    with applied((Edit("toys:PaddleNorm.forward", "var + 2**-16", "var + 1.000001 * 2**-16"),)):
        near = settled(subject(), lanes=("float64",))
    assert near.verdict == "diverged" and near.first.key == far.first.key and Counter(what for _, what in runs)["draw"] == 3


def test_a_local_that_is_another_value_in_float64_waits_for_no_draw_in_float32(runs):
    class Reference(torch.nn.Module):
        def forward(self, x):
            y = x * 2
            return y * 3

    class Twin(paddle.nn.Layer):
        def forward(self, x):
            y = x * 3
            return y * 2

    report = settled(between(Reference, Twin, {"x": numbers(8)}, FREE), "eval")
    assert report.verdict == "same" and {finding.key.variable for finding in report.uncompared} >= {"y"}
    assert ("float32", "draw") not in runs and ("float32", "draw, replayed") not in runs


def test_a_twin_that_is_less_accurate_and_otherwise_the_same_is_seen():
    class Reference(torch.nn.Module):
        def forward(self, x):
            z = (x * x).mean() * 1
            return z

    class Twin(paddle.nn.Layer):
        def forward(self, x):
            z = paddle.to_tensor(np.cumsum((x * x).numpy(), dtype=x.numpy().dtype)[-1:] / x.size).reshape([]) * 1
            return z

    report = settled(between(Reference, Twin, {"x": numbers(1 << 16)}, HERE), "eval")
    assert {finding.lane for finding in report.diverged} <= {"float32", "float64"} and report.verdict == "diverged"


# --- known differences ------------------------------------------------------------------------------------------------


def norm(x):
    return paddle.nn.functional.instance_norm(x)


def norm_by_hand(x):
    deviation = x - x.mean([2, 3], keepdim=True)
    return deviation / paddle.sqrt((deviation * deviation).mean([2, 3], keepdim=True) + paddle.full([], 1e-5, x.dtype))


class TorchNorms(torch.nn.Module):
    """Two norms of small variance, beside each other."""

    def forward(self, x):
        first = torch.nn.functional.instance_norm(1e-2 * x)
        second = torch.nn.functional.instance_norm(2e-2 * x)
        return first, second * 1


class PaddleNorms(paddle.nn.Layer):
    def __init__(self, other=norm, factor=1):
        super().__init__()
        self.other, self.factor = other, factor

    def forward(self, x):
        first = norm(1e-2 * x)
        second = self.other(2e-2 * x)
        return first, second * self.factor


def norms(*args):
    return between(TorchNorms, lambda: PaddleNorms(*args), {"x": numbers(2, 3, 5, 7)}, FREE)


def test_a_known_difference_is_imitated_at_once_and_settled_in_the_pass(runs):
    report = settled(norms(), "eval", quick=True)
    assert report.verdict == "same" and report.counts["explained"]
    assert all("norm_epsilon" in finding.cause for finding in report.findings if finding.verdict == "explained")
    # As it is, and under all that is known; and what it chooses, as not everything was compared.
    assert [what for _, what in runs] == ["pass", "pass", "unmoved"]


class TorchRemembers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)

    def forward(self, x):
        return self.norm(x)


class PaddleRemembers(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.norm = paddle.nn.BatchNorm2D(3)

    def forward(self, x):
        return self.norm(x)


def test_what_is_only_remembered_is_told_apart_without_a_backward_and_named_as_with_one(monkeypatch):
    chosen, passes = between(TorchRemembers, PaddleRemembers, {"x": 1e-2 * numbers(4, 3, 5, 7)}, FREE), []
    original = Both.side_by_side
    monkeypatch.setattr(Both, "side_by_side", lambda both, *args, gradients=True: passes.append(gradients) or original(
        both, *args, gradients=gradients))
    told = settled(chosen, quick=True)
    assert told.verdict == "same" and passes == [True, True, False, False, False]
    whole = explain(ladder.glance(chosen), lambda lanes: ladder.glance(chosen))
    causes = {finding.key: finding.cause for finding in told.findings if finding.verdict == "explained"}
    assert causes == {finding.key: finding.cause for finding in whole.findings if finding.verdict == "explained"}
    assert {key.stage for key in causes} >= {"forward", "gradients", "state"}


def test_beside_a_known_difference_a_mistake_is_seen_and_has_the_first_place():
    report = settled(norms(norm, 1.000001), "eval")
    assert report.verdict == "diverged" and report.first.key.variable == "multiply"
    explained = [finding for finding in report.findings if finding.verdict == "explained"]
    assert report.counts["explained"] == len(explained) and {"first", "second"} <= {f.key.variable for f in explained}
    whole = compare(norms(norm, 1.000001), lanes=("float64",), operations=True)
    assert sum(report.counts.values()) == sum(whole.counts.values())


def test_what_a_twin_does_as_torch_is_not_judged_by_the_imitation():
    """Imitated everywhere, the difference would make the norm written by hand diverge. (The gradient of what both norms share is
    neither Paddle's nor torch's.)"""
    for factor in (1, 1.000001):
        chosen = norms(norm_by_hand, factor)
        whole = explain(compare(chosen, lanes=("float64",), operations=True), lambda lanes, chosen=chosen: compare(
            chosen, lanes=lanes, operations=True))
        report = settled(chosen, "eval", operations=True)
        assert {finding.key for finding in report.diverged} == {finding.key for finding in whole.diverged}
        assert report.first.key == whole.first.key and report.counts["explained"]


# --- where the values of the reference lie ----------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [(), (FAULT,)], ids=["healthy", "fault"])
def test_a_report_is_the_same_whether_values_lie_in_memory_or_in_a_file(monkeypatch, faults):
    def report():
        with applied(faults):
            return settled(subject())

    held = report()
    monkeypatch.setattr(Store, "ROOM", -1)
    monkeypatch.setattr(Store, "LARGE", 0)
    written, put = [], Spill.put
    monkeypatch.setattr(Spill, "put", lambda spill, array: written.append(array.nbytes) or put(spill, array))
    spilled = report()
    assert written and held.counts == spilled.counts and held.multiples == spilled.multiples
    assert [str(one) for one in held.findings] == [str(one) for one in spilled.findings] and held.verdict == spilled.verdict


# --- what goes apart on its way back alone ----------------------------------------------------------------------------

DETACHED = Edit("toys:PaddleNorm.forward", "paddle.sqrt(var + 2**-16)", "paddle.sqrt(var.detach() + 2**-16)")


@pytest.fixture
def sensitive(monkeypatch):
    """In a pass gradients are allowed next to no rounding, as behind many layers."""
    allowed = one_pass.own_rounding
    monkeypatch.setattr(one_pass, "own_rounding", lambda event, eps: allowed(event, eps) * (
        1e-9 if event.key.stage == "gradients" else 1))


def test_gradients_that_go_apart_are_measured_before_anything_is_imitated(runs, sensitive):
    assert settled(subject()).verdict == "same"
    assert runs == [("float64", "pass"), ("float64", "draw"), ("float32", "unmoved"), ("float32", "unmoved, replayed")]


def test_values_that_go_apart_a_little_are_measured_before_anything_is_imitated(runs, monkeypatch):
    allowed = one_pass.own_rounding
    monkeypatch.setattr(one_pass, "own_rounding", lambda event, eps: 1e-2 * allowed(event, eps))
    assert settled(subject()).verdict == "same"
    assert runs == [("float64", "pass"), ("float64", "draw"), ("float32", "unmoved"), ("float32", "unmoved, replayed")]
    runs.clear()
    with applied((FAULT,)):
        assert settled(subject(), lanes=("float64",)).verdict == "diverged"
    assert runs[1] == ("float64", "pass")


SLIGHT = Edit("toys:PaddleNorm.forward", "paddle.sqrt(var + 2**-16)",
              "paddle.sqrt(var.detach() + (var - var.detach()) * (1 + 2**-42) + 2**-16)")


@pytest.fixture
def narrow(monkeypatch):
    """In a pass gradients are allowed little rounding, as where they are sums that cancel."""
    allowed = one_pass.own_rounding
    monkeypatch.setattr(one_pass, "own_rounding", lambda event, eps: allowed(event, eps) * (
        1e-2 if event.key.stage == "gradients" else 1))


def test_a_quick_compare_measures_gradients_that_go_apart_a_little_before_anything_is_imitated(runs, narrow):
    report = settled(subject(), quick=True)
    assert report.verdict == "same" and runs == [("float64", "pass"), ("float64", "unmoved"), ("float64", "draw")]


def test_what_is_too_much_to_be_left_open_is_measured_with_all_the_rest(runs, narrow, monkeypatch):
    monkeypatch.setattr(one_pass.Interleaved, "MOST", 0)
    report = settled(subject(), quick=True)
    assert report.verdict == "same" and runs == [("float64", "pass"), ("float64", "truth"), ("float64", "draw")]


def test_a_full_disk_is_no_fault_of_a_pass_that_leaves_values_open(runs, narrow, monkeypatch):
    monkeypatch.setattr(Store, "ROOM", -1)
    monkeypatch.setattr(Store, "LARGE", 0)
    monkeypatch.setattr(Spill, "RESERVE", 1 << 62)
    with pytest.raises(InputError, match="expected room"):  # which the draw beside all values needs
        settled(subject(), quick=True)
    assert runs[:2] == [("float64", "pass"), ("float64", "truth")]


class TorchWide(torch.nn.Module):
    """Has something large to show before it returns, at which the twin comes to its turn, and ends first."""

    def forward(self, x):
        y = 2 * x
        wide = y.sum() * torch.ones(1 << 20, dtype=x.dtype)
        return {"y": y, "total": wide[:1]}


class PaddleNarrow(paddle.nn.Layer):
    def __init__(self, factor=2):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        y = self.factor * x
        return y, y.sum().reshape([1])


@pytest.mark.parametrize(("factor", "verdict"), [(2, "same"), (2 + 1e-6, "diverged")])
def test_results_in_another_container_meet_in_the_pass_though_the_twin_returns_first(runs, factor, verdict):
    report = settled(between(TorchWide, lambda: PaddleNarrow(factor), {"x": numbers(3, 4)}, FREE), "eval", quick=True)
    assert report.verdict == verdict and (verdict == "diverged" or runs == [
        ("float64", "pass"), ("float64", "unmoved")])  # which choices it makes, as not everything was compared


def test_a_quick_compare_finds_a_slight_mistake_in_gradients_beside_their_noise(runs):
    with applied((SLIGHT,)):
        report = settled(subject(), quick=True)
    assert report.verdict == "diverged" and report.first.key.stage == "gradients" and runs[1:3] == [
        ("float64", "unmoved"), ("float64", "draw")]


def test_gradients_that_go_apart_by_a_mistake_are_found_all_the_same(runs, sensitive):
    with applied((DETACHED,)):
        report = settled(subject())
    assert report.verdict == "diverged" and report.first.key.stage == "gradients" and runs[1] == ("float64", "draw")
    with applied((DETACHED,)):
        assert report.first.key == compare(subject()).first.key

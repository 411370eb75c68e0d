"""What one side alone has inside of the program, and in which the replay finds nothing, is no first divergence; all else may be."""

from dataclasses import replace

import numpy as np
import pytest

from parity.messages import say
from parity.numbers.arrays import Deviation, Verdict
from parity.trace.events import Key
from parity.verdict.findings import Finding, Order, Placing, Report

LONE = Deviation(np.inf, trouble=say("exists in the twin only"))
APART = Deviation(1.0, (0,), 1.0, 1.0, 2.0)


def finding(variable, run, verdict, deviation=LONE, *, stage="forward", module="net.inner", at=1):
    return Finding("net", "float64", run, Key(stage, 0, None, module, 0, "", 0, variable, 0), verdict, Order(at), deviation)


def acquitted(*findings):
    report = Report("net", list(findings))
    report.counts.update(one.verdict for one in findings)
    report.acquit()
    assert report.counts[Verdict.DIVERGED] == len(report.diverged)
    return report.first.key


FREE, WRONG = finding("input[1]", "free", Verdict.DIVERGED), finding("output", "free", Verdict.DIVERGED, APART, at=2)
HARMLESS = finding("input[1]", "replay", Verdict.UNCOMPARED)


def test_what_the_replay_finds_nothing_in_is_not_first():
    assert acquitted(FREE, WRONG, HARMLESS) == WRONG.key


@pytest.mark.parametrize("others", [
    (WRONG,), (WRONG, finding("input[1]", "replay", Verdict.DIVERGED)), (HARMLESS,),
    (WRONG, HARMLESS, finding("input[0]", "replay", Verdict.DIVERGED, module="net.inner.deeper"))],
    ids=["no replay", "the replay finds something", "nothing else diverges", "the replay finds something inside"])
def test_what_may_be_the_mistake_stays_first(others):
    assert acquitted(FREE, *others) == FREE.key


def test_where_no_gradient_comes_back_the_graph_may_be_cut():
    cut = finding("output", "free", Verdict.DIVERGED, stage="gradients")
    weight = finding("weight", "free", Verdict.DIVERGED, APART, stage="gradients", at=2)
    assert acquitted(cut, weight, finding("output", "replay", Verdict.UNCOMPARED, stage="gradients")) == cut.key


def test_what_has_come_to_be_first_is_placed_anew_and_nothing_else():
    report, asked = Report("net", [FREE, WRONG, HARMLESS]), []

    def place(found):
        asked.append([one.key.variable for one in found])
        return [replace(one, cause=say("exists in the twin only")) if one is WRONG else one for one in found]

    report.placing = {"free": Placing(FREE.key, place)}
    report.place()
    assert not asked and report.first.cause is None  # it is still the same
    report.acquit()
    for _ in range(2):  # once is enough
        report.place()
    assert asked == [["input[1]", "output"]] and report.first.key == WRONG.key and report.first.cause is not None


def local(run, verdict, deviation=APART, at=1):
    one = finding("h", run, verdict, deviation, module="net", at=at)
    return replace(one, key=one.key._replace(function="forward"), floor=1e-3)


@pytest.mark.parametrize(("free", "replayed", "first"), [
    (local("free", Verdict.UNCOMPARED), local("replay", Verdict.DIVERGED), "h"),
    (local("free", Verdict.UNCOMPARED, LONE), local("replay", Verdict.DIVERGED), "output"),  # nobody knows it there
    (local("free", Verdict.UNCOMPARED), local("replay", Verdict.UNCOMPARED), "output"),
    (local("free", Verdict.UNCOMPARED, at=3), local("replay", Verdict.DIVERGED, at=3), "output")])  # it follows from it, perhaps
def test_a_local_that_was_left_open_is_wrong_where_the_replay_says_so(free, replayed, first):
    report = Report("net", [free, WRONG, replayed])
    report.counts.update(one.verdict for one in report.findings)
    report.place()
    assert report.first.key.variable == first and report.counts[Verdict.DIVERGED] == len(report.diverged)
    assert any(one.key == free.key and one.run == "free" for one in report.diverged) is (first == "h")

"""What one side alone has inside of the program, and in which the replay finds nothing, is no first divergence; all else may be."""

import numpy as np
import pytest

from parity.messages import say
from parity.numbers.arrays import Deviation, Verdict
from parity.trace.events import Key
from parity.verdict.findings import Finding, Order, Report

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

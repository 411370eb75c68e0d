"""Steps that name float32: what cannot run in float64 as it is, runs with that lifted; a mistake is seen all the same."""

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.files import InputError
from parity.frameworks.lifting import SAID
from parity.inputs import integers
from parity.steps.follow import follow
from parity.steps.stored import record_to, recorded_in

T, P = torch.optim, paddle.optimizer


def reference(cast, raises=False):
    def build():
        net = torch.nn.Linear(3, 2)
        update = T.SGD(net.parameters(), 0.1)

        def step(t):
            x = t.float() if cast else t.to(net.weight.dtype)
            loss = net(x * 0.3).square().mean()
            if raises:
                raise ValueError("of the reference's own")
            update.zero_grad()
            loss.backward()
            update.step()
            return loss

        return step

    return build


def twin(cast, factor=1.0, raises=False):
    def build():
        net = paddle.nn.Linear(3, 2)
        update = P.SGD(0.1, net.parameters())

        def step(t):
            x = t.astype("float32") if cast else t.astype(net.weight.dtype)
            loss = net(x * 0.3).square().mean() * factor
            if raises:
                raise ValueError("of the twin's own")
            update.clear_grad()
            loss.backward()
            update.step()
            return loss

        return step

    return build


def subject(ours, theirs):
    return Training(ours, theirs, [integers(4, 3, low=0, high=9)]).subject()


def followed(ours, theirs, **options):
    return follow(subject(ours, theirs), **{"steps": 2, **options})


@pytest.mark.parametrize(("ours", "theirs", "mode"), [(True, True, "free"), (True, False, "resync"), (False, True, "free"),
                                                      (False, True, "resync")])
def test_what_one_side_or_both_cast_by_name_is_the_same_and_it_is_said(ours, theirs, mode):
    found = followed(reference(ours), twin(theirs), mode=mode)
    assert found.verdict == "same" and found.steps == 2 and found.report.remarks.count(SAID) == 1
    wrong = followed(reference(ours), twin(theirs, 1.001), mode=mode)
    assert wrong.verdict == "diverged" and wrong.report.first.key.variable == "loss"


def test_without_a_cast_nothing_is_lifted():
    found = followed(reference(False), twin(False))
    assert found.verdict == "same" and SAID not in found.report.remarks


def test_in_float32_nothing_is_lifted():
    assert SAID not in followed(reference(True), twin(True), lane="float32").report.remarks


def test_what_a_side_raises_for_itself_stays_what_it_raised():
    seen = []
    found = followed(reference(True), twin(True, raises=True), passed=seen.append)
    assert found.report.first.key.variable == "(exception)" and "of the twin's own" in str(found.report.first.deviation.trouble)
    assert any(report.diverged for report in seen)
    with pytest.raises((InputError, ValueError), match="of the reference's own"):
        followed(reference(True, raises=True), twin(True))


@pytest.mark.parametrize(("ours", "theirs"), [(True, True), (True, False), (False, True)])
def test_a_recording_says_whether_it_was_lifted(ours, theirs, tmp_path):
    record_to(tmp_path, subject(reference(ours), twin(theirs)), steps=2)
    for factor, verdict in ((1.0, "same"), (1.001, "diverged")):
        wanted = subject(reference(ours), twin(theirs, factor))
        found = follow(wanted, steps=2, recorded=recorded_in(tmp_path, wanted)[1])
        assert found.verdict == verdict and SAID in found.report.remarks

"""Where names, types, shapes and the order of definition are silent, what both programs compute tells which is which."""

import paddle
import pytest
import torch

from parity.compare.ladder import compare, glance
from parity.inputs import normal
from parity.pairing.by_value import Choice, settled
from parity.port import Port

t, p = torch.nn, paddle.nn


class TorchChain(t.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.one, self.two, self.leave = t.Linear(4, 6), t.Linear(6, 6), t.Linear(6, 6), t.Linear(6, 3)

    def forward(self, x):
        return self.leave(torch.tanh(self.two(torch.tanh(self.one(self.enter(x))))))


class PaddleChain(p.Layer):
    """Defined in another order, with names that say nothing."""

    def __init__(self, wrong=False):
        super().__init__()
        self.z, self.w, self.u, self.s = p.Linear(6, 3), p.Linear(6, 6), p.Linear(6, 6), p.Linear(4, 6)
        self.wrong = wrong

    def forward(self, x):
        inner = paddle.tanh(self.w(paddle.tanh(self.u(self.s(x)))))
        return self.z(inner * 2 if self.wrong else inner)


class PaddleSwapped(p.Layer):
    """Defined in the same order as the reference, and called in another: the order of definition is not silent."""

    def __init__(self):
        super().__init__()
        self.s, self.u, self.w, self.z = p.Linear(4, 6), p.Linear(6, 6), p.Linear(6, 6), p.Linear(6, 3)

    def forward(self, x):
        return self.z(paddle.tanh(self.u(paddle.tanh(self.w(self.s(x))))))


def port(twin, reference=TorchChain):
    return Port(reference, twin, inputs=[normal(5, 4)]).subject("train")


def test_what_is_equal_is_paired_and_said():
    report = glance(port(PaddleChain))
    [told] = [remark for remark in report.remarks if "told by what both compute" in remark]
    assert report.verdict == "same" and "one = u" in told


def test_a_wrong_twin_stays_wrong():
    report = compare(port(lambda: PaddleChain(wrong=True)), lanes=["float64"])
    assert report.verdict == "diverged" and not any("told by what" in remark for remark in report.remarks)


def test_layers_that_are_called_in_another_order_are_not_paired_away():
    assert compare(port(PaddleSwapped), lanes=["float64"]).verdict == "diverged"


class TorchTable(t.Module):
    """A Linear of one's own; on which side its inputs are, no shape tells."""

    def __init__(self, inputs_first):
        super().__init__()
        self.weight, self.inputs_first = t.Parameter(torch.randn(6, 6)), inputs_first

    def forward(self, x):
        return x @ (self.weight if self.inputs_first else self.weight.T)


@pytest.mark.parametrize("inputs_first", [True, False])
def test_a_square_matrix_lies_as_both_compute_with_it(inputs_first):
    def reference():
        return t.Sequential(t.Linear(4, 6), TorchTable(inputs_first))

    def twin(factor=1.0):
        return p.Sequential(p.Linear(4, 6), p.Linear(6, 6, bias_attr=False), *([p.LeakyReLU(0.5)] if factor != 1 else []))

    assert glance(port(twin, reference)).verdict == "same"
    wrong = compare(port(lambda: twin(2.0), reference), lanes=["float64"])
    assert wrong.verdict == "diverged" and wrong.first.key.stage != "census"  # what both were given to try it is no own weight


class TorchTables(t.Module):
    """Two in a row: how the second lies shows only where the first lies right."""

    def __init__(self):
        super().__init__()
        self.b, self.a = t.Linear(6, 6, bias=False), t.Linear(6, 6, bias=False)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


class PaddleTable(p.Layer):
    def __init__(self, turned=True):
        super().__init__()
        self.weight, self.turned = self.create_parameter([6, 6]), turned

    def forward(self, x):
        return x @ (self.weight.T if self.turned else self.weight)


class PaddleTables(p.Layer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.b, self.a, self.factor = PaddleTable(), PaddleTable(), factor

    def forward(self, x):
        return self.factor * self.b(paddle.tanh(self.a(x)))


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_what_shows_only_behind_another_that_is_right_is_asked_again(factor):
    """Whatever the order in which they are asked; a wrong twin's layers lie as they compute all the same."""
    made = Port(TorchTables, lambda: PaddleTables(factor), inputs=[normal(5, 6)]).subject("train")
    report = compare(made, lanes=["float64"])
    assert report.verdict == ("same" if factor == 1 else "diverged")
    assert factor == 1 or not any(finding.key.module.endswith((".a", ".b")) for finding in report.diverged
                                  if finding.key.stage == "forward")


def test_the_order_of_asking_does_not_matter():
    def agreeing(choice):
        first = "a" in choice.turned
        return first and "b" in choice.turned, first + (first and "b" in choice.turned)

    for names in ("ab", "ba"):
        assert settled((), names, agreeing).turned == {"a", "b"}
    assert settled((), ["c", "d"], lambda choice: ("c" in choice.turned and "d" in choice.turned,
                                                   ("d" in choice.turned) * (1 + ("c" in choice.turned)))).turned == {"c", "d"}


@pytest.mark.parametrize("inputs_first", [True, False])
def test_a_dropout_that_is_missing_hides_nothing_of_the_pairing(inputs_first):
    """It is told in eval mode."""
    report = compare(port(lambda: p.Sequential(p.Linear(4, 6), p.Linear(6, 6, bias_attr=False)), lambda: t.Sequential(
        t.Linear(4, 6), TorchTable(inputs_first), t.Dropout(0.5))), lanes=["float64"])
    assert report.first.drawn and not any(finding.key.module.endswith(".1") for finding in report.diverged
                                          if finding.key.stage == "forward")


def test_no_more_runs_than_needed():
    tried = []

    def agreeing(choice):
        tried.append(choice)
        return dict(choice.names) == {"a.0": "y.0", "b.0": "x.0", "a.1": "y.1", "b.1": "x.1"}, 0

    groups = [(("a.0", "x.0"), ("b.0", "y.0")), (("a.1", "x.1"), ("b.1", "y.1"))]
    found = settled(groups, [], agreeing)
    assert found is not None and found.names["a.1"] == "y.1" and len(tried) == 2  # all blocks alike, at once
    assert settled(groups, ["m"], lambda choice: (False, 0)) == Choice()
    assert settled(groups, ["m"], lambda choice: (True, 0)) == Choice()

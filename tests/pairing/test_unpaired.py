"""What has no partner stops a comparison before anything runs; what is nested, fused or wrapped otherwise has one."""

import paddle
import pytest
import torch

from parity.compare.ladder import compare, glance
from parity.inputs import normal
from parity.pairing.correspondence import correspond
from parity.port import Port
from weights_convert import DEFAULT

t, p = torch.nn, paddle.nn


def ran(*args):
    raise AssertionError("nothing is to be run")


class TorchNet(t.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm = t.Linear(4, 6), t.LayerNorm(6)

    forward = ran


class PaddleNet(p.Layer):
    def __init__(self):
        super().__init__()
        self.first = p.Linear(4, 6)

    forward = ran


@pytest.mark.parametrize("run", [lambda subject: compare(subject), glance])
def test_nothing_is_run_where_a_parameter_has_no_partner(run):
    report = run(Port(TorchNet, PaddleNet, inputs=[normal(3, 4)]).subject("eval"))
    assert report.verdict == "diverged" and {finding.key.stage for finding in report.findings} == {"census"}
    assert report.first.key.module.endswith("norm") and any("nothing was run" in remark for remark in report.remarks)


def two_layers(library, name, width):
    class Net(library.Module if library is t else library.Layer):
        def __init__(self):
            super().__init__()
            self.body = library.Sequential(library.Linear(4, 6))
            setattr(self, name, library.Linear(6, width))  # the layer

        forward = ran

    return Net


@pytest.mark.parametrize(("name", "names"), [("last", {}), ("head", {"last": "head"}), ("head", {})])
def test_a_weight_of_another_shape_is_placed_at_the_line_of_its_layer_on_both_sides(name, names):
    report = compare(Port(two_layers(t, "last", 3), two_layers(p, name, 5), inputs=[normal(3, 4)], names=names).subject("eval"))
    assert report.first.key.stage == "census" and report.first.key.module.endswith("last")
    assert report.first.reference.text.endswith("# the layer") and report.first.twin.text.endswith("# the layer")


def built_in_another_order_than_kept(library, first, last):
    class Net(library.Module if library is t else library.Layer):
        def __init__(self):
            super().__init__()
            early = library.Linear(4, first)
            self.last = library.Linear(first, last)
            self.body = library.Sequential(early)

        forward = ran

    return Net


def test_the_first_of_them_is_the_one_that_was_built_first():
    """Nothing runs that would tell what comes first; a list of layers is often filled first and kept last."""
    pair = Port(built_in_another_order_than_kept(t, 6, 5), built_in_another_order_than_kept(p, 7, 9), inputs=[normal(3, 4)])
    report = compare(pair.subject("eval"))
    modules = [finding.key.module.rpartition(".")[2] for finding in report.findings]
    assert report.verdict == "diverged" and modules == ["0", "0", "last", "last"]


class TorchFused(t.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = t.Linear(8, 24), t.Linear(8, 8)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.out(torch.softmax(q @ k.transpose(1, 2), -1) @ v)


class Conv1D(t.Module):
    """As in transformers: a Linear whose weight is (inputs, outputs)."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.weight, self.bias = t.Parameter(torch.randn(inputs, outputs) / 8), t.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class TorchGPT(TorchFused):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = Conv1D(24, 8), Conv1D(8, 8)


class TorchAttention(t.Module):
    def __init__(self):
        super().__init__()
        self.attention = t.MultiheadAttention(8, 1, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class PaddleSplit(p.Layer):
    def __init__(self, swapped=False, scale=1.0):
        super().__init__()
        self.q, self.k, self.v = (p.Linear(8, 8) for _ in range(3))
        self.proj, self.swapped, self.scale = p.Linear(8, 8), swapped, scale

    def forward(self, x):
        q, k, v = self.q(x), self.k(x), self.v(x)
        k, v = (v, k) if self.swapped else (k, v)
        return self.proj(p.functional.softmax(q @ k.transpose([0, 2, 1]) * self.scale, -1) @ v)


FUSED = {"qkv of a Linear": (TorchFused, 1.0), "of GPT-2's Conv1D": (TorchGPT, 1.0),
         "of MultiheadAttention": (TorchAttention, 8 ** -0.5)}


@pytest.mark.parametrize("name", FUSED)
def test_a_fused_weight_is_cut_into_the_twins(name):
    reference, scale = FUSED[name]
    report = compare(Port(reference, lambda: PaddleSplit(scale=scale), inputs=[normal(2, 5, 8)]).subject("train"),
                     lanes=["float64"])
    assert report.verdict == "same" and any("q + " in remark for remark in report.remarks), report.remarks


@pytest.mark.parametrize("name", FUSED)
def test_a_twin_that_mixes_up_the_pieces_is_found(name):
    reference, scale = FUSED[name]
    port = Port(reference, lambda: PaddleSplit(swapped=True, scale=scale), inputs=[normal(2, 5, 8)])
    assert compare(port.subject("train"), lanes=["float64"]).verdict == "diverged"


class TorchStage(t.Module):
    def __init__(self):
        super().__init__()
        self.down, self.fc = t.Linear(4, 6), t.Linear(6, 6)

    def forward(self, x):
        return self.fc(self.down(x))


class TorchNested(t.Module):
    def __init__(self):
        super().__init__()
        self.stage = TorchStage()

    def forward(self, x):
        return self.stage(x)


class PaddleStage(p.Layer):
    def __init__(self):
        super().__init__()
        self.fc = p.Linear(6, 6)

    def forward(self, x):
        return self.fc(x)


class PaddleNested(p.Layer):
    def __init__(self, twice=False):
        super().__init__()
        self.down, self.stage, self.twice = p.Linear(4, 6), PaddleStage(), twice

    def forward(self, x):
        x = self.stage(self.down(x))
        return self.stage(x) if self.twice else x


def test_a_layer_under_another_parent_has_its_partner():
    assert glance(Port(TorchNested, PaddleNested, inputs=[normal(2, 4)]).subject("train")).verdict == "same"
    named = Port(TorchNested, PaddleNested, inputs=[normal(2, 4)], names={"stage.down": "down"})
    assert glance(named.subject("train")).verdict == "same"
    wrong = Port(TorchNested, lambda: PaddleNested(twice=True), inputs=[normal(2, 4)])
    assert compare(wrong.subject("train"), lanes=["float64"]).verdict == "diverged"


@pytest.mark.parametrize(("size", "fits"), [(6, True), (5, False)])
def test_a_recurrent_layer_is_opened_where_the_other_side_has_cells(size, fits):
    found = correspond(t.Sequential(t.LSTM(6, 6)), p.Sequential(p.RNN(p.LSTMCell(6, size))), DEFAULT)
    paired = {entry.source: entry.target for entry in found.plan.entries.values()}
    expected = {f"0.{what}_{which}_l0": f"0.cell.{what}_{which}" for what in ("weight", "bias") for which in ("ih", "hh")}
    assert (paired == expected and not found.problems) if fits else len(found.problems) == 8


class TorchShared(t.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.act = t.Linear(4, 6), t.Linear(6, 3), t.ReLU()

    def forward(self, x):
        return self.act(self.second(self.act(self.first(x))))


class PaddleRepeated(p.Layer):
    def __init__(self, last=p.ReLU):
        super().__init__()
        self.first, self.second, self.act1, self.act2 = p.Linear(4, 6), p.Linear(6, 3), p.ReLU(), last()

    def forward(self, x):
        return self.act2(self.second(self.act1(self.first(x))))


def test_a_layer_without_parameters_is_shared_here_and_repeated_there():
    report = compare(Port(TorchShared, PaddleRepeated, inputs=[normal(5, 4)]).subject("train"), lanes=["float64"])
    assert report.verdict == "same", report.first
    wrong = Port(TorchShared, lambda: PaddleRepeated(p.Sigmoid), inputs=[normal(5, 4)])
    assert compare(wrong.subject("train"), lanes=["float64"]).verdict == "diverged"

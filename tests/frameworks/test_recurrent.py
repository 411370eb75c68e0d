"""Recurrent layers: Paddle's have no backward in eval mode, and take lengths where torch's take packed sequences."""

import paddle
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from parity.compare.ladder import compare
from parity.inputs import integers, normal
from parity.port import Port

KINDS = {"LSTM": {}, "GRU": {}, "RNN": {"num_layers": 2, "dropout": 0.5}}


class Torch(torch.nn.Module):
    def __init__(self, kind="LSTM", **options):
        super().__init__()
        self.first = torch.nn.Linear(4, 4)
        self.rnn = getattr(torch.nn, kind)(4, 3, batch_first=True, **options)

    def forward(self, x, lengths=None):
        e = self.first(x)
        if lengths is None:
            return self.rnn(e)[0]
        packed = pack_padded_sequence(e, lengths.cpu(), batch_first=True, enforce_sorted=False)
        h, last = self.rnn(packed)
        h, _ = pad_packed_sequence(h, batch_first=True, total_length=x.shape[1])
        return h, last


class Paddle(paddle.nn.Layer):
    def __init__(self, kind="LSTM", factor=1.0, straight=False, forgets=False, **options):
        super().__init__()
        self.first = paddle.nn.Linear(4, 4)
        self.rnn = getattr(paddle.nn, {"RNN": "SimpleRNN"}.get(kind, kind))(4, 3, **options)
        self.factor, self.straight, self.forgets = factor, straight, forgets

    def forward(self, x, lengths=None):
        e = self.first(x)
        if self.straight:
            e = e.detach()
        h, last = self.rnn(e) if lengths is None or self.forgets else self.rnn(e, sequence_length=lengths)
        return h * self.factor if lengths is None else (h, last)


def judged(port, mode):
    report = compare(port.subject(mode), lanes=("float64",))
    return report, {(f.key.stage, f.key.module.partition(".")[2], f.key.variable) for f in report.findings
                    if f.verdict.value == "diverged"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_port_is_the_same_in_eval_mode_and_its_gradients_are_compared(kind):
    options = KINDS[kind]
    port = Port(lambda: Torch(kind, **options), lambda: Paddle(kind, **options), inputs=[normal(2, 5, 4)])
    report, diverged = judged(port, "eval")
    assert not diverged and report.verdict == "same"
    assert any("rnn: gradients of a recurrent layer are not available in paddle's eval mode" in remark for remark in report.remarks)


def test_nothing_is_said_of_it_in_train_mode():
    report, diverged = judged(Port(Torch, Paddle, inputs=[normal(2, 5, 4)]), "train")
    assert not diverged and not any("recurrent" in remark for remark in report.remarks)


def test_a_wrong_port_is_found_in_eval_mode():
    _, diverged = judged(Port(Torch, lambda: Paddle(factor=1.01), inputs=[normal(2, 5, 4)]), "eval")
    assert ("forward", "", "output") in diverged
    _, diverged = judged(Port(Torch, lambda: Paddle(straight=True), inputs=[normal(2, 5, 4)]), "eval")
    assert ("gradients", "first", "weight") in diverged  # the graph is cut before the layer


def test_a_layer_is_left_in_its_mode_and_with_its_dropout():
    twin = Paddle("GRU", num_layers=2, dropout=0.5)
    judged(Port(lambda: Torch("GRU", num_layers=2, dropout=0.5), twin, inputs=[normal(2, 5, 4)]), "eval")
    assert twin.rnn.dropout == 0.5 and twin.rnn.training


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_packed_sequences_against_lengths(mode):
    inputs = [normal(3, 5, 4), integers(3, low=2, high=5)]
    report, diverged = judged(Port(Torch, Paddle, inputs=inputs), mode)
    assert not diverged and report.verdict == "same"
    _, diverged = judged(Port(Torch, lambda: Paddle(forgets=True), inputs=inputs), mode)
    assert any(stage == "forward" and module == "rnn" for stage, module, _ in diverged)

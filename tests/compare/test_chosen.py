"""What a choice throws away may be wrong, and nothing that is returned says so; with weights that choose otherwise it does."""

import numpy as np
import paddle
import pytest
import torch

from parity import Port, compare, normal
from parity.compare import chosen, settling
from parity.compare.ladder import Both, glance_at
from parity.frameworks.torch_choices import Choices

BEAM, WORDS, WIDTH = 3, 11, 8
HIDDEN = 27  # a seed with which no row that the wrong beam search has spoilt is chosen


class Search(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(WORDS, WIDTH)
        self.cell = torch.nn.LSTMCell(WIDTH, WIDTH)
        self.out = torch.nn.Linear(WIDTH, WORDS)

    def forward(self, h):
        count = h.shape[0]
        h = h.unsqueeze(1).repeat(1, BEAM, 1).reshape(count * BEAM, WIDTH)
        c = torch.zeros_like(h)
        score = torch.full((count, BEAM), -1e4, dtype=h.dtype)
        score[:, 0] = 0.0
        word = torch.zeros(count * BEAM, dtype=torch.long)
        for _ in range(3):
            h, c = self.cell(self.table(word), (h, c))
            total = (score.unsqueeze(-1) + torch.log_softmax(self.out(h), -1).reshape(count, BEAM, WORDS)).reshape(count, -1)
            score, best = torch.topk(total, BEAM, -1)
            rows = (torch.arange(count).unsqueeze(1) * BEAM + best // WORDS).reshape(-1)
            word = (best % WORDS).reshape(-1)
            h, c = h[rows], c[rows]
        return score[:, 0], word.reshape(count, BEAM)[:, 0]


class Search_(paddle.nn.Layer):
    def __init__(self, reorders=True):
        super().__init__()
        self.table = paddle.nn.Embedding(WORDS, WIDTH)
        self.cell = paddle.nn.LSTMCell(WIDTH, WIDTH)
        self.out = paddle.nn.Linear(WIDTH, WORDS)
        self.reorders = reorders

    def forward(self, h):
        count = h.shape[0]
        h = h.unsqueeze(1).tile([1, BEAM, 1]).reshape([count * BEAM, WIDTH])
        c = paddle.zeros_like(h)
        score = paddle.full((count, BEAM), -1e4, dtype=h.dtype)
        score[:, 0] = 0.0
        word = paddle.zeros([count * BEAM], dtype="int64")
        for _ in range(3):
            _, (h, c) = self.cell(self.table(word), (h, c))
            logs = paddle.nn.functional.log_softmax(self.out(h), -1).reshape([count, BEAM, WORDS])
            score, best = paddle.topk((score.unsqueeze(-1) + logs).reshape([count, BEAM * WORDS]), BEAM, -1)
            rows = (paddle.arange(count).unsqueeze(1) * BEAM + best // WORDS).reshape([-1])
            word = (best % WORDS).reshape([-1])
            h = paddle.gather(h, rows)
            c = paddle.gather(c, rows) if self.reorders else c
        return score[:, 0], word.reshape([count, BEAM])[:, 0]


def searched(reorders, seed=HIDDEN, **options):
    pair = Port(Search, lambda: Search_(reorders), inputs=[normal(2, WIDTH)])
    return compare(pair, modes=["eval"], seed=seed, **options)


@pytest.mark.parametrize("options", [{}, {"quick": True}, {"lanes": ["float64"]}], ids=["default", "quick", "float64"])
def test_a_beam_search_that_forgets_its_cells(options):
    found = searched(False, **options)
    assert found.verdict == "diverged" and found.results[0].report.first.variable == "c"
    assert any("choose otherwise" in remark for remark in found.results[0].report.remarks)
    assert searched(True, **options).verdict == "same"


@pytest.mark.slow
def test_how_often_other_weights_show_it():
    """Of a beam search that hides it with the weights that are given."""
    both = Both(Port(Search, lambda: Search_(False), inputs=[normal(2, WIDTH)]).subject("eval", HIDDEN), "cpu")
    shown = 0
    for number in range(40):
        with chosen.weighed_otherwise(both, number):
            shown += bool(glance_at(both, gradients=False).diverged)
    assert shown > 12


def test_it_would_be_hidden(monkeypatch):
    """The test above could fail: with the weights alone that are given, nothing that is returned differs."""
    monkeypatch.setattr(settling, "trials", lambda both: 0)
    assert searched(False, quick=True).verdict == "same"


class Sent(torch.nn.Module):
    """To one of eight experts, each row."""

    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Linear(6, 8)
        self.experts = torch.nn.ModuleList(torch.nn.Linear(6, 6) for _ in range(8))

    def forward(self, x):
        best = self.gate(x).argmax(-1)
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            here = (best == number).unsqueeze(-1).to(x.dtype)
            if here.any():
                out = out + here * expert(x)
        return out


class Sent_(paddle.nn.Layer):
    def __init__(self, last=7):
        super().__init__()
        self.gate = paddle.nn.Linear(6, 8)
        self.experts = paddle.nn.LayerList([paddle.nn.Linear(6, 6) for _ in range(8)])
        self.last = last

    def forward(self, x):
        best = self.gate(x).argmax(-1)
        out = paddle.zeros_like(x)
        for number in range(8):
            here = (best == number).unsqueeze(-1).astype(x.dtype)
            if here.any():
                out = out + here * self.experts[min(number, self.last)](x)
        return out


def test_an_expert_to_which_nothing_is_sent():
    def sent(last):
        return compare(Port(Sent, lambda: Sent_(last), inputs=[normal(3, 6)]), modes=["eval"], quick=True, seed=0)

    assert sent(7).verdict == "same"
    assert sent(6).verdict == "diverged"


class Stubborn(torch.nn.Module):
    """Takes no weights but those that it was built with, or would go on for ever with others."""

    def __init__(self, endless):
        super().__init__()
        self.fc = torch.nn.Linear(6, 6)
        self.endless = endless

    def forward(self, x):
        if not self.endless and abs(float(self.fc.weight.detach().abs().sum()) - float(SIZES[0])) > 1e-3:
            raise ValueError("other weights")
        y, rounds = self.fc(x), 0
        while self.endless and rounds < 1:
            rounds += int(abs(float(self.fc.weight.detach().abs().sum()) - float(SIZES[0])) < 1e-3)
            best = y.argmax(-1)
        best = y.argmax(-1)
        return y.gather(1, best.unsqueeze(1))


class Stubborn_(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(6, 6)

    def forward(self, x):
        y = self.fc(x)
        first = y.argmax(-1)
        return paddle.take_along_axis(y, first.unsqueeze(1), 1)


SIZES = [0.0]


@pytest.mark.parametrize("endless", [False, True], ids=["raises", "endless"])
def test_a_program_that_takes_no_other_weights(endless):
    pair = Port(lambda: Stubborn(endless), Stubborn_, inputs=[normal(2, 6)])
    SIZES[0] = np.abs(pair.subject("eval", 0).state["fc.weight"]).sum()
    assert compare(pair, modes=["eval"], quick=True, seed=0).verdict == "same"


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        return y * (y > 0)


class Plain_(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        return y * (y > 0).astype(y.dtype)


def test_no_other_weights_where_everything_was_compared(monkeypatch):
    asked = []
    monkeypatch.setattr(settling, "weighed_otherwise", lambda both, number: asked.append(number))
    assert compare(Port(Plain, Plain_, inputs=[normal(2, 4)]), modes=["eval"], quick=True).verdict == "same" and not asked


def test_a_pooling_throws_nothing_away():
    x = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for chooses, program in ((False, lambda: torch.nn.functional.max_pool2d(x, 2)), (True, lambda: x.argmax(-1)),
                             (False, lambda: x.relu()), (True, lambda: x.topk(2))):
        choices = Choices()
        with choices.recording():
            program()
        assert choices.throw_away is chooses


def test_what_is_one_stays_one_and_keeps_its_signs():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 4, bias=False)
            self.second.weight = self.first.weight
            self.register_buffer("kept", torch.ones(3))

        def forward(self, x):
            return self.second(self.first(x)) * self.kept[0]

    class Tied_(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = paddle.nn.Linear(4, 4, bias_attr=False), paddle.nn.Linear(4, 4, bias_attr=False)
            self.second.weight = self.first.weight
            self.register_buffer("kept", paddle.ones([3]))

        def forward(self, x):
            return self.second(self.first(x)) * self.kept[0]

    both = Both(Port(Tied, Tied_, inputs=[normal(2, 4)]).subject("eval"), "cpu")
    before = both.subject.state
    with chosen.weighed_otherwise(both, 0):
        after = both.subject.state
        assert (after["first.weight"] == after["second.weight"]).all() and (after["kept"] == before["kept"]).all()
        assert (after["first.weight"] > 0).sum() == (before["first.weight"] > 0).sum()
        assert (after["first.weight"] != before["first.weight"]).any()
    assert both.subject.state is before

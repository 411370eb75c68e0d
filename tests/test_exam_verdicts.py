"""The exam of verdicts: what it writes, that its labels are checked by hand, and a sample of its sittings."""

import dataclasses

import pytest

from exams.verdicts import truth
from exams.verdicts.program import Pair, Program, in_paddle
from exams.verdicts.programs import everything
from exams.verdicts.sitting import sit

TANH = Program("tanh", "normal(3, 4)", "self.fc = nn.Linear(4, 2)\ndef forward(self, x):\n    return torch.tanh(self.fc(x))\n",
               mistakes=["paddle.tanh => paddle.sin"], area="here")
PAIRS = everything()
SAMPLE = {  # a dozen of each sign, from every area
    "two layers", "softmax over a row", "residual block", "largest two", "a dict", "a tuple", "the same layer three times",
    "a mask by comparison", "cross entropy, of each", "positions", "plain", "sgd", "a branch that eval leaves out",
}


def sampled(answer):
    chosen = {}
    for pair in PAIRS:
        if pair.program.name in SAMPLE and pair.answer == answer:
            chosen.setdefault(pair.program.name, pair)
    return [pytest.param(pair, id=pair.stem) for pair in chosen.values()]


def test_the_exam_is_as_large_as_it_promises():
    assert sum(pair.answer == "same" for pair in PAIRS) >= 200
    assert sum(pair.answer == "differs" for pair in PAIRS) >= 200
    assert len({(pair.program.torch, pair.port) for pair in PAIRS}) == len(PAIRS)  # no pair twice


def test_a_port_is_the_torch_text_in_paddles_words():
    assert in_paddle("nn.Conv2d(3, 4, 3)(F.max_pool2d(x, 2)).mean(dim=1)") == "nn.Conv2D(3, 4, 3)(F.max_pool2d(x, 2)).mean(axis=1)"


def test_a_mistake_must_stand_in_the_port():
    with pytest.raises(ValueError, match="once in the port, found it 0 times"):
        list(dataclasses.replace(TANH, mistakes=["relu => tanh"]).pairs())


def test_the_line_of_a_mistake_is_known(tmp_path):
    right, wrong = TANH.pairs()
    wrong.write(tmp_path)
    lines = (tmp_path / f"{wrong.stem}_paddle.py").read_text().splitlines()
    assert [lines[n - 1].strip() for n in wrong.places()] == ["return paddle.sin(self.fc(x))"] and not right.places()


def test_a_label_that_is_not_true_is_noticed():
    right, wrong = TANH.pairs()
    assert not truth.agrees(right) and not truth.agrees(wrong)
    assert "said to be the same" in truth.agrees(Pair(dataclasses.replace(TANH, name="another tanh"), wrong.port))
    third = dataclasses.replace(TANH, name="a third tanh")
    assert "said to differ" in truth.agrees(Pair(third, right.port, *third.mistakes))


@pytest.mark.parametrize("pair", sampled("same") + sampled("differs"))
def test_a_sample_of_the_labels_is_true(pair):
    assert truth.agrees(pair) == ""


@pytest.mark.parametrize("pair", sampled("same"))
def test_a_healthy_pair_is_the_same(pair):
    given = sit(pair, [] if pair.program.training else ["--lane", "float64"])
    assert given.outcome == "right", given.said


@pytest.mark.parametrize("pair", sampled("differs"))
def test_a_pair_that_differs_is_found(pair):
    given = sit(pair, [] if pair.program.training else ["--lane", "float64", "--no-train"])
    assert given.outcome in ("found", "placed"), given.said


@pytest.mark.slow
def test_the_whole_exam():
    outcomes = {pair.stem: sit(pair).outcome for pair in PAIRS}
    assert not {stem: outcome for stem, outcome in outcomes.items() if outcome not in ("right", "found", "placed")}

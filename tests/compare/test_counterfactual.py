"""What remains once the places are right: nothing of one mistake; the second one, of two that follow from each other."""

import json

import paddle
import pytest
import torch
from toys import between, numbers

from parity.compare.results import Case
from parity.compare.runner import run
from parity.declare.pair import Pair
from parity.report import document, page, terminal
from parity.report.summary import Summary
from parity.trace.source import SourceTree

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__), names={})


class TorchInner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)

    def forward(self, x):
        h = torch.exp(self.fc(x))
        return h - h.mean()


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.head = TorchInner(), torch.nn.Linear(4, 2)

    def forward(self, x):
        y = torch.sigmoid(self.inner(x))
        return self.head(y * 2)


def scaled(x, factor):
    return x * factor


class PaddleInner(paddle.nn.Layer):
    def __init__(self, factor):
        super().__init__()
        self.fc, self.factor = paddle.nn.Linear(4, 4), factor

    def forward(self, x):
        h = scaled(paddle.exp(self.fc(x)), self.factor)
        return h - h.mean()


class PaddleNet(paddle.nn.Layer):
    """Its three factors are 1, 1 and 2 where it is well."""

    def __init__(self, one, two, three, by_name=False):
        super().__init__()
        self.inner, self.head = PaddleInner(one), paddle.nn.Linear(4, 2)
        self.two, self.three, self.by_name = two, three, by_name

    def forward(self, x):
        y = paddle.nn.functional.sigmoid(self.inner(x)) * self.two
        return self.head(input=y * self.three) if self.by_name else self.head(y * self.three)


def summary(*factors):
    subject = between(TorchNet, lambda: PaddleNet(*factors), {"x": numbers(3, 4)}, HERE)
    return Summary(run([Case("net", "eval", subject)], lanes=("float64",)))


@pytest.mark.parametrize("factors", [(1.5, 1, 2), (1, 1.5, 2), (1, 1, 3), (1, 1, 3, True)])
def test_one_line_accounts_for_everything_behind_it(factors):
    """A helper's result, a local, what is handed to a layer, by its place and by name."""
    found = summary(*factors).headline[0].report.counterfactual
    assert found.places == 1 and found.behind == found.agree > 0 and found.remains is None
    assert found.sentence.startswith("this line alone accounts for everything behind it")


def test_of_two_mistakes_the_one_behind_the_other_remains():
    """What the second line reads is wrong already, so a replay alone cannot tell that it has a mistake of its own."""
    result, first = summary(1, 1.5, 3).headline
    found = result.report.counterfactual
    assert len(result.report.places) == 1 and found.agree < found.behind and first.variable == "y"
    assert found.remains.module == "net.head" and found.site.text.startswith("return self.head(")


def test_two_places_are_no_line_alone():
    found = summary(1.5, 1, 3).headline[0].report.counterfactual
    assert found.places == 2 and found.behind == found.agree and "1 more place remains" in found.sentence


def test_two_that_are_the_same_are_not_asked_what_remains():
    assert summary(1, 1, 2).results[0].report.counterfactual is None


def test_every_report_says_it(capsys):
    from rich.console import Console
    shown = summary(1, 1.5, 2)
    sentence = shown.headline[0].report.counterfactual.sentence
    terminal.show(Console(width=200), shown)
    assert sentence in capsys.readouterr().out
    html = page.to_html(shown)
    assert sentence in html and "仅此一行" in html
    (subject,) = json.loads(document.to_json(shown))["subjects"]
    assert subject["counterfactual"]["sentence"] == sentence and subject["counterfactual"]["remains"] is None

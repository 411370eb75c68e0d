"""What remains of a step that diverged once its places are right: nothing of one mistake, the second one of two."""

import json

import paddle
import pytest
import torch
from rich.console import Console

import parity
from parity.declare.training import Training
from parity.inputs import normal
from parity.steps import picture, report


class TorchTrainer:
    def __init__(self):
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.LeakyReLU(0.1), torch.nn.Linear(6, 3))
        self.update = torch.optim.SGD(self.net.parameters(), 0.1)

    def step(self, x):
        loss = self.net(x).square().mean()
        total = loss * 2
        self.update.zero_grad()
        total.backward()
        self.update.step()
        return total


class PaddleTrainer:
    def __init__(self, slope=0.1, factor=2, rate=0.1):
        self.net = paddle.nn.Sequential(paddle.nn.Linear(4, 6), paddle.nn.LeakyReLU(slope), paddle.nn.Linear(6, 3))
        self.update, self.factor = paddle.optimizer.SGD(rate, self.net.parameters()), factor

    def step(self, x):
        loss = self.net(x).square().mean()
        total = loss * self.factor
        self.update.clear_grad()
        total.backward()
        self.update.step()
        return total


def followed(mode="free", **mistakes):
    return parity.follow(Training(TorchTrainer, lambda: PaddleTrainer(**mistakes), [normal(5, 4)]), steps=1, mode=mode)


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("mistake", [{"slope": 0.2}, {"factor": 3}])
def test_one_line_accounts_for_everything_behind_it(mistake, mode):
    found = followed(mode, **mistake).counterfactual
    assert found.places == 1 and found.remains is None and found.behind == found.agree
    assert found.sentence.startswith("this line alone accounts for") and (found.behind or mode == "resync")


def test_of_two_mistakes_the_place_of_each_is_counted(capsys):
    """A replay sees both; every report says so."""
    shown = followed(slope=0.2, factor=3)
    found = shown.counterfactual
    assert found.places == 2 and "1 more place remains" in found.sentence and found.behind == found.agree > 0
    report.show(Console(width=200), shown)
    assert found.sentence in capsys.readouterr().out
    assert found.sentence in report.to_html(shown, picture.drawings(shown))
    assert json.loads(report.to_json(shown))["counterfactual"]["sentence"] == found.sentence


@pytest.mark.parametrize("mistake", [{}, {"rate": 0.2}])
def test_what_no_value_puts_right_is_not_asked(mistake):
    """A healthy twin, and another learning rate, which the census tells."""
    assert followed(**mistake).counterfactual is None

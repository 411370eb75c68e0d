"""`parity explain --pair`: two faults, one hiding the other; one that accounts for all; a harmful and a harmless one; none."""

import json
import os

import paddle
import pytest
from rich.console import Console

from parity.cli import main
from parity.declare import port as porting
from parity.explain import show
from parity.explain.explanation import Explaining
from parity.mending.patches import Change
from parity.mending.search import Mend, Mends
from parity.mending.trial import Outcome, Place
from parity.trace.source import Site

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each twin runs in a fork")

TORCH = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        h = F.leaky_relu(self.body(x), 0.2)
        k = h * 2
        return self.head(k)


class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def step(self, x):
        y = self.net(x)
        worst = y.abs().max()
        loss = y.square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss, "all/worst": worst}
"""
PADDLE = (TORCH.replace("torch.optim.SGD(self.net.parameters(), lr=0.1)", "paddle.optimizer.SGD(0.1, self.net.parameters())")
          .replace("torch", "paddle").replace("nn.Module", "nn.Layer").replace("zero_grad", "clear_grad"))
PAIR = """
import explained_paddle as twin
import explained_torch as reference
from parity.inputs import normal
from parity.port import Port
from parity.training import Training

pair = Port(reference.Net, twin.Net, inputs=[normal(4, 3)], modes=["eval"])
training = Training(reference.Trainer, twin.Trainer, batch=[normal(5, 3)])
"""


@pytest.fixture
def pair(tmp_path):
    """Writes a twin with these pieces of it replaced; returns the path of the pair, and the changes back."""
    def written(*wrong):
        text = PADDLE
        for right, piece in wrong:
            text = text.replace(right, piece)
        for name, source in {"explained_torch": TORCH, "explained_paddle": text, "pair": PAIR}.items():
            (tmp_path / f"{name}.py").write_text(source)
        file = os.path.realpath(tmp_path / "explained_paddle.py")
        return f"{tmp_path}/pair.py", [Change(file, text.index(piece), text.index(piece) + len(piece), right)
                                       for right, piece in wrong]

    return written


def load(target):
    return lambda seed: porting.load([target])


SLOPE, FACTOR = ("self.body(x), 0.2", "self.body(x), 0.3"), ("h * 2", "h * 3")


def test_of_two_faults_one_hides_the_other(pair):
    target, _ = pair(SLOPE, FACTOR)
    found = Explaining(load(f"{target}:pair"), title="pair", steps=None, budget=60).run()
    slope, factor = found.parts
    assert found.verdict == "diverged" and found.complete and found.after.verdict == "same"
    assert [one.right for one in slope.replaced] == ["h = F.leaky_relu(self.body(x), 0.2)"]
    assert [one.wrong for one in factor.replaced] == ["k = h * 3"]
    assert slope.hidden_by == () and factor.hidden_by == (1,)
    assert slope.values[1] == found.differing[0] > factor.values[1] > 0  # what the one makes wrong the other does not read
    assert slope.values[0] + factor.values[0] < found.differing[0]  # with the other wrong, little is won
    assert f"2 lines account for all {found.differing[0]} values that differ; most is done by" in found.sentence()


def test_one_line_accounts_for_all(pair):
    target, (change,) = pair(FACTOR)
    explaining = Explaining(load(f"{target}:pair"), title="pair", steps=None, budget=60)
    found = explaining.of(mends(change))
    (part,) = found.parts
    assert part.values == (found.differing[0],) * 2 and not part.harmless and found.complete
    assert "alone accounts for everything behind it" in found.sentence()


def mends(*changes):
    """As if found one after the other, at the twin's lines."""
    before = Outcome("diverged", "it differs")
    places = [Place("it differs", None, Site(change.file, 1 + number), None) for number, change in enumerate(changes)]
    return Mends(before, tuple(Mend(place, (change,)) for place, change in zip(places, changes, strict=True)), before)


def test_a_harmless_line_is_told_from_a_harmful_one(pair):
    """What is only reported changes no loss that is trained on, and no update."""
    target, changes = pair(FACTOR, ("y.abs().max()", "y.abs().min()"))
    explaining = Explaining(lambda seed: porting.training(f"{target}:training"), title="training", steps=2, budget=60)
    found = explaining.of(mends(*changes))
    harmful, harmless = found.parts
    slope = paddle.nn.functional.leaky_relu(paddle.to_tensor([-1.0], "float64"), 0.2)
    rounded = abs(slope.item() / -0.2 - 1)  # up to 3.0 Paddle has it in float32
    assert found.complete and found.left < 1e-14 + rounded and found.total > 0.1
    assert harmless.harmless and harmless.effect.alone == 0 and not harmless.effect.seen["float32"]
    assert not harmful.harmless and harmful.effect.alone > 0.1
    assert harmful.effect.seen == {"float64": ("loss",), "float32": ("loss",)}
    assert "2 lines account for all that differs, 1 of them without harm; most is done by" in found.sentence()
    console = Console(width=200, record=True)
    show.show(console, found)
    page, document = show.to_html(found), json.loads(show.to_json(found))
    assert found.sentence() in console.export_text() and found.sentence() in page and "无害" in page
    assert [(one["number"], one["harmless"]) for one in document["lines"]] == [(1, False), (2, True)]


def test_of_a_healthy_pair_there_is_nothing_to_explain(pair, tmp_path, capsys):
    target, _ = pair()
    assert main(["explain", "--pair", f"{target}:pair", "--json", str(tmp_path / "why.json")]) == 0
    assert capsys.readouterr().out.startswith("Nothing to explain: the two are the same")
    document = json.loads((tmp_path / "why.json").read_text())
    assert (document["verdict"], document["lines"]) == ("same", [])


@pytest.mark.parametrize(("options", "said"), [
    (["--pair", "pair.py", "--fault", "rho"], "--fault: for U-GAT-IT"), (["--budget", "3"], "--budget is for --pair"),
    (["--pair", "nowhere.py"], "nowhere.py")])
def test_what_does_not_fit_is_refused(options, said, capsys):
    assert main(["explain", *options]) == 2
    assert said in capsys.readouterr().err

"""Of two functions that train in the same way but for one thing, that thing is tried first."""

import ast
import os

import pytest

from parity.mending.search import Search
from parity.mending.trial import Place
from parity.trace.source import Site

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each search forks")

TORCH = """import torch
class Trainer:
    def step(self, x, number):
        self.decay(number)
        d_loss = self.first(x)
        g_loss = self.second(x)
        return d_loss + g_loss
    def decay(self, number):
        if number > 3:
            lr = self.optimizer.lr
            lr -= self.start / 4
            self.set_lr(lr)
    def first(self, x):
        self.optimizer.zero_grad()
        loss = self.net(x).mean()
        loss.backward()
        self.optimizer.step()
        return loss
    def second(self, x):
        loss = self.other(x).mean()
        loss.backward()
        self.optimizer.step()
        return loss
"""
PADDLE = TORCH.replace("import torch", "import paddle").replace("zero_grad", "clear_grad")
ADAM = """import paddle
class Adam(paddle.optimizer.Adam):
    def step(self):
        kept, self._epsilon = self._epsilon, self._epsilon / (1 - self._beta2) ** 0.5
        super().step()
        self._epsilon = kept
"""
UPDATE = "        self.optimizer.step()\n        return loss\n    def second"
FAULTS = {
    "updated twice": (UPDATE, UPDATE.replace("step()", "step(); self.optimizer.step()", 1), "update", "weight", 1),
    "cleared before the update": (UPDATE, UPDATE.replace("self", "self.optimizer.clear_grad(); self", 1), "gradients", "weight", 1),
    "never cleared": ("        self.optimizer.clear_grad()\n", "", "gradients", "weight", 1),
    "nothing instead of clearing": ("self.optimizer.clear_grad()", "pass", "gradients", "weight", 1),
    "eval mode left on": ("self.decay(number)", "self.decay(number); self.net.eval()", "forward", "output", 1),
    "the rate grows": ("lr -= self", "lr += self", "update", "lr", 1),
    "the rate never falls": ("number > 3", "False", "update", "lr", 1),
    "the other way round": ("d_loss = self.first(x)\n        g_loss = self.second(x)",
                            "g_loss = self.second(x)\n        d_loss = self.first(x)", "gradients", "weight", 4),
}


def tried(tmp_path, twin, stage, variable, most):
    """(file, text, what is to stand there instead) of the changes that are tried first; and whether the reference tells of any."""
    files = {"net_torch.py": TORCH, "net_paddle.py": twin, "adam.py": ADAM}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    search = Search(lambda seed: None, budget=1, steps=2)
    search._files = tuple(os.path.realpath(tmp_path / name) for name in files)
    reference, ours = (Site(os.path.realpath(tmp_path / name), text.splitlines().index("        self.optimizer.step()") + 1)
                       for name, text in (("net_torch.py", TORCH), ("net_paddle.py", PADDLE)))
    found = search._candidates([Place("", reference, ours, None, stage, variable)], ())
    first = [candidate for _, candidate in zip(range(most), found, strict=False)]
    return [[(change.file, search._source(change.file).text[change.start:change.end], change.new) for change in candidate.changes]
            for candidate in first], any(candidate.told for candidate in first)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_training_does_otherwise_is_put_right_first(tmp_path, fault):
    right, wrong, stage, variable, most = FAULTS[fault]
    twin = PADDLE.replace(right, wrong, 1)
    found, told = tried(tmp_path, twin, stage, variable, most)
    assert twin != PADDLE and told
    _, old, new = found[0][0]
    if fault == "never cleared":
        assert (old, new) == ("", "        self.optimizer.clear_grad()\n")
    elif fault == "the other way round":
        assert any(len(changes) == 2 for changes in found)
    else:
        assert ast.dump(ast.parse(twin.replace(old, new, 1))) == ast.dump(ast.parse(PADDLE))


def test_of_a_right_training_the_reference_tells_nothing(tmp_path):
    found, told = tried(tmp_path, PADDLE, "update", "weight", 12)
    assert found and not told


def test_the_users_own_update_is_looked_into(tmp_path):
    found, _ = tried(tmp_path, PADDLE, "update", "weight", 3)
    assert any(file.endswith("adam.py") and (old, new) == ("self._epsilon / (1 - self._beta2) ** 0.5", "self._epsilon")
               for ((file, old, new), *_) in found)

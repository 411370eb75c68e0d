"""What a name stands for is read from the user's files alone; and a twin's function is known by the reference's name."""

import pytest

from parity.mending.candidates import candidates, within
from parity.mending.definitions import defined, namesake, used_by
from parity.mending.patches import Source, patched

NET = """
import paddle
from . import tools
from .norms import norm as scaled
from paddle.nn.functional import relu


class Net(paddle.nn.Layer):
    def forward(self, x):
        return relu(scaled(self.half(tools.shift(x))))

    def half(self, x):
        return x / 2
"""
NORMS = """
import paddle


def norm(x, eps=1e-5):
    return deep(x) / (x.abs().max() + eps)


def deep(x):
    return paddle.square(x)
"""
TOOLS = "def shift(x):\n    return x + 1\n"


@pytest.fixture
def net(tmp_path):
    package = tmp_path / "twin"
    package.mkdir()
    for name, text in {"__init__": "from .net import Net\n", "net": NET, "norms": NORMS, "tools": TOOLS}.items():
        (package / f"{name}.py").write_text(text)
    return Source.read(str(package / "net.py"))


def test_what_a_line_uses_is_found_through_the_imports_and_then_what_that_uses(net):
    owner = net.definitions["Net"]
    found = [one.node.name for one in used_by(net, [owner.body[0].body[0]], Source.read, owner)]
    assert sorted(found[:3]) == ["half", "norm", "shift"] and found[3:] == ["deep"]


def test_a_package_hands_on_a_name_and_what_is_not_there_is_nothing(net, tmp_path):
    (tmp_path / "pair.py").write_text("from twin import Net\nfrom gone import it\n")
    pair = Source.read(str(tmp_path / "pair.py"))
    assert defined(pair, ["Net"], Source.read).node.name == "Net"
    assert defined(pair, ["Net", "half"], Source.read).node.name == "half"
    assert defined(pair, ["it"], Source.read) is None and defined(pair, ["paddle"], Source.read) is None
    assert defined(pair, ["Net"], lambda file: None) is None  # not the user's


THEIRS = """
from torch.nn.functional import normalize


def norm(v, eps=1e-5):
    return normalize(v, dim=0, eps=eps)
"""


def test_a_short_function_of_the_references_is_said_in_the_twins_of_its_name(net):
    reference, twin = Source("theirs.py", THEIRS), Source.read(net.file.replace("net.py", "norms.py"))
    found, there = namesake(reference, 6, [net, twin])
    assert found.source is twin and found.node.name == "norm"
    made = [patched(twin.text, one.changes) for spot in within(found, reference, there) for one in candidates(spot) if one.told]
    assert any("    return paddle.nn.functional.normalize(x, axis=0, epsilon=eps)\n" in text for text in made)


def test_a_function_of_another_name_is_no_namesake(net):
    assert namesake(Source("theirs.py", THEIRS.replace("norm(v", "other(v")), 6, [net]) is None

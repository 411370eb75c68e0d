"""A function that a port takes from a file beside its own is looked into; one from anywhere else is one operation."""

import pytest

import parity
from parity.declare import port as porting

HELPER = "from {framework} import {exp}\n\n\ndef twice(x):\n    y = {exp}(x)\n    z = y * {factor}\n    return z\n"
NET = ("import {framework}\nfrom {package} import twice\n\n\n"
       "class Net({base}):\n    def __init__(self):\n        super().__init__()\n"
       "        self.fc = {framework}.nn.Linear(3, 3)\n\n    def forward(self, x):\n        return twice(self.fc(x))\n")


@pytest.mark.parametrize(("folder", "line"), [("", "z = y * 3"), ("elsewhere", "return twice(self.fc(x))")])
def test_the_line_of_a_helper(tmp_path, monkeypatch, folder, line):
    monkeypatch.chdir(tmp_path)
    for framework, base, factor in (("torch", "torch.nn.Module", 2), ("paddle", "paddle.nn.Layer", 3)):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / f"{framework}_helper.py").write_text(HELPER.format(framework=framework, exp="exp", factor=factor))
        package = ".".join(filter(None, (folder, f"{framework}_helper")))
        (tmp_path / f"{framework}_net.py").write_text(NET.format(framework=framework, package=package, base=base))
    pair = porting.load(["torch_net.py:Net", "paddle_net.py:Net"], specified=["2,3"])
    first = parity.compare(pair, lanes=["float64"], modes=["eval"]).headline[1]
    assert first.twin.text == line

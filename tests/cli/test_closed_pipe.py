"""`parity ... --html page.html | head`: who reads the terminal may stop reading, the files are written and the verdict stands."""

import json
import os

import pytest

from parity.cli import main
from parity.declare import example

pytestmark = pytest.mark.xdist_group("closed pipe")  # of one example

SCRIPT = """
import torch
net = torch.nn.Linear(3, 1)
adam = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(3):
    loss = net(torch.ones(4, 3)).pow(2).mean()
    loss.backward()  # and never cleared
    adam.step()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    example.begin(str(folder))
    (folder / "train.py").write_text(SCRIPT)
    return folder


@pytest.fixture
def unread(monkeypatch):
    """Standard output that somebody has stopped reading."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        yield


COMMANDS = {
    "check": (["check", "--only", "InstanceNorm2d", "--no-train", "--lane", "float64"], 0),
    "compare": (["compare", "my_pair.py", "--no-train", "--quick"], 0),
    "steps": (["steps", "my_pair.py", "--steps", "1", "--lane", "float64"], 0),
    "doctor": (["doctor", "train.py"], 1),
}
FILES = {"--html": "page.html", "--json": "page.json", "--sarif": "page.sarif", "--junit": "page.xml"}


@pytest.mark.parametrize("name", COMMANDS)
def test_pages_are_written_and_the_verdict_stands(folder, monkeypatch, unread, name):
    monkeypatch.chdir(folder)
    command, code = COMMANDS[name]
    wanted = [part for option, file in FILES.items() for part in (option, f"{name}_{file}")]
    assert main([*command, *wanted]) == code
    assert all((folder / f"{name}_{file}").stat().st_size for file in FILES.values())


def test_so_it_is_of_recordings(folder, monkeypatch, unread):
    monkeypatch.chdir(folder)
    assert main(["record", "--side", "reference", "--pair", "my_pair.py", "--no-train", "--keep", "layers", "there"]) == 0
    assert main(["diff", "there", "there", "--html", "diff.html"]) == 0
    assert "same" in (folder / "diff.html").read_text()
    assert main(["check", "--only", "InstanceNorm2d", "--no-train", "--quick", "--json", "-"]) == 0


def test_what_is_read_is_whole(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["compare", "my_pair.py", "--no-train", "--quick", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "same"

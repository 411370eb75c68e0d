"""`parity doctor module:function`, on scripts of a user's."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from parity.cli import main
from parity.doctor.examine import examine

SCRIPT = """
import numpy as np
import torch

net = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam({held}, 1e-2)
rng = np.random.default_rng(0)


def step():
    x = torch.tensor(rng.standard_normal((8, 4)), dtype=torch.float32)
    loss = net(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


nothing = 3
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def write(name, held="net.parameters()"):
        (tmp_path / f"{name}.py").write_text(SCRIPT.format(held=held))
        importlib.invalidate_caches()
        return name

    return write


def test_the_command(script, tmp_path, capsys):
    good, bad = script("good_script"), script("bad_script", "[net.weight]")
    assert main(["doctor", f"{good}:step", "--iterations", "4"]) == 0
    assert "no finding in 4 iterations" in capsys.readouterr().out
    files = ["--json", "doctor.json", "--html", "doctor.html", "--sarif", "doctor.sarif", "--junit", "doctor.xml"]
    assert main(["doctor", f"{bad}:step", *files]) == 1
    (seen,) = json.loads((tmp_path / "doctor.sarif").read_text())["runs"][0]["results"]
    place = seen["locations"][0]["physicalLocation"]
    assert seen["ruleId"] == "parameters-unheld"
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("bad_script.py", 6)
    assert 'failures="1"' in (tmp_path / "doctor.xml").read_text()
    document = json.loads((tmp_path / "doctor.json").read_text())
    first = document["findings"][0]
    assert first.keys() >= {"id", "severity", "message", "file", "line", "remedy"}
    assert (first["id"], first["severity"], first["file"], first["line"]) == ("parameters-unheld", "error", "bad_script.py", 6)
    assert "bad_script.py:6" in (tmp_path / "doctor.html").read_text()
    capsys.readouterr()
    assert main(["doctor", f"{bad}:step", "--expect", "parameters-unheld", "--iterations", "3"]) == 0
    assert "declared" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:step", "there is no module"),
        ("refused:no", "has no no"),
        ("refused", "expected module:function"),
        ("refused:nothing", "expected a function"),
    ],
)
def test_bad_input(script, capsys, target, message):
    script("refused")
    assert main(["doctor", target]) == 2
    assert message in capsys.readouterr().err


def test_the_page_shows_what_the_command_says(tmp_path, monkeypatch, capsys):
    """The walk through of docs/my-loss-does-not-go-down.md, from its script to its outputs."""
    page = (Path(__file__).parents[2] / "docs" / "my-loss-does-not-go-down.md").read_text()
    script = page.split("```python\n")[1].split("```")[0]
    shown = [part.split("```")[0].strip() for part in page.split("```text\n")[1:]]
    better = script
    for old, new in (("[nn.Linear(8, 8) for _ in range(2)]", "nn.LayerList([nn.Linear(8, 8) for _ in range(2)])"),
                     ("parameters=encoder.parameters()", "parameters=[*encoder.parameters(), *head.parameters()]"),
                     ("head(encoder(x))", "head(encoder(x)).reshape([-1])")):
        assert better.count(old) == 1
        better = better.replace(old, new)
    good = better.replace("    optimizer.step()\n", "    optimizer.step()\n    optimizer.clear_grad()\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.chdir(tmp_path)
    for number, (text, expected) in enumerate(zip((script, better, good), shown, strict=True)):
        (tmp_path / f"page{number}.py").write_text(text)
        importlib.invalidate_caches()
        assert main(["doctor", f"page{number}:step"]) == (1 if number < 2 else 0)
        assert capsys.readouterr().out.strip().replace(f"page{number}.py", "train.py") == expected


@pytest.mark.parametrize("converted", [True, False])
def test_pictures_read_by_cv2(script, tmp_path, converted):
    name = f"cv2_{converted}"
    script(name)
    file = tmp_path / f"{name}.py"
    read = "cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)" if converted else "cv2.imread(path)"
    file.write_text(file.read_text() + f"\n\ndef load(path):\n    import cv2\n    return {read}\n")
    said = examine(f"{name}:step", iterations=3)
    assert [found.id for found in said.findings] == ([] if converted else ["bgr-images"])


def test_what_a_step_raises_is_said_with_its_place(script, tmp_path):
    script("raises")
    file = tmp_path / "raises.py"
    file.write_text(file.read_text().replace("loss.backward()", "1 / 0"))
    said = examine("raises:step", iterations=3)
    assert (said.first.id, said.first.site.text) == ("raised", "1 / 0")


@pytest.mark.parametrize("where", ["    x = torch", "net = "])
def test_a_program_that_ends_the_process_is_no_healthy_one(script, tmp_path, capsys, where):
    """In its step, or when it is imported: exit code 2 and a word, not the 0 that it asked for."""
    name = f"exits_{len(where)}"
    script(name)
    file = tmp_path / f"{name}.py"
    indent = " " * (len(where) - len(where.lstrip()))
    file.write_text(file.read_text().replace(where, f"{indent}raise SystemExit(0)\n{where}"))
    assert main(["doctor", f"{name}:step"]) == 2
    assert "ended the process (sys.exit(0))" in capsys.readouterr().err

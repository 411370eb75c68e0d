"""docs/parity-workflow.yml, the workflow that a project copies: its steps are run here on what `parity init` writes. Our own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from xml.etree import ElementTree

import pytest
import yaml
from pages import ROOT

from parity.cli import main
from tests.docs.test_docs import complaint

PATH = ROOT / "docs" / "parity-workflow.yml"
WORKFLOW = yaml.load(PATH.read_text(), yaml.BaseLoader)  # "on" is a word here, not a truth value


def script(job: str, name: str) -> str:
    return next(step["run"] for step in WORKFLOW["jobs"][job]["steps"] if step.get("name") == name)


def test_it_is_a_workflow():
    assert {"push", "pull_request"} <= WORKFLOW["on"].keys() and WORKFLOW["jobs"].keys() == {"parity", "baseline"}
    for job in WORKFLOW["jobs"].values():
        assert job["runs-on"] and int(job["timeout-minutes"]) <= 60
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step) and "@" in step.get("uses", "@")
    uploads = [step for job in WORKFLOW["jobs"].values() for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert [step["if"] for step in uploads] == ["always()", "always()"]  # a page is wanted most where something failed


def test_its_commands_exist():
    commands = [shlex.split(line.strip("# ")) for line in PATH.read_text().splitlines() if line.strip("# ").startswith("parity ")]
    assert [words[1] for words in commands] == ["record", "record", "diff"]
    assert [complaint(words) for words in commands] == [None] * 3


@pytest.mark.parametrize("broken", [False, True])
def test_the_tests_of_a_new_project_run_as_the_workflow_runs_them(tmp_path, monkeypatch, broken):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "parity"]) == 0
    test = tmp_path / "parity" / "test_my_pair.py"
    text = test.read_text()
    for whole, quick in (("parity(pair)", 'parity(pair, lanes=["float64"], modes=["eval"])'), ("steps=3", "steps=1")):
        assert text.count(whole) == 1
        text = text.replace(whole, quick)
    test.write_text(text)
    if broken:
        port = tmp_path / "parity" / "my_paddle.py"
        port.write_text(port.read_text().replace("F.gelu(", "F.relu("))
    installed = any(point.value == "parity.plugin" for point in entry_points(group="pytest11"))
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path,
                   "PYTEST_ADDOPTS": "" if installed else "-p parity.plugin"}
    done = subprocess.run(["bash", "-e", "-c", script("parity", "Parity tests")], env=environment, capture_output=True, text=True)
    assert done.returncode == int(broken), done.stdout + done.stderr
    folder = tmp_path / WORKFLOW["jobs"]["parity"]["steps"][-1]["with"]["path"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".html", ".html", ".json", ".json", ".xml"]
    cases = ElementTree.parse(folder / "junit.xml").findall(".//testcase")
    assert len(cases) == 2  # one forward and backward, and training steps
    for case in cases:
        failure = case.find("failure")
        assert (failure is not None) == broken
        if broken:  # readable, and the divergence's file and line as data
            (place,) = (item.get("value") for item in case.iter("property") if item.get("name") == "divergence")
            assert "diverged at stage forward" in failure.text and f"twin       {place}   " in failure.text
            assert failure.text.strip() in done.stdout
    if broken:
        assert "my_torch.py:16   x = F.gelu(" in cases[0].find("failure").text and "my_paddle.py:16" in done.stdout


def test_the_baseline_is_a_gate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    making = next(line.strip("# ") for line in PATH.read_text().splitlines() if line.strip().startswith("#     parity record"))
    (tmp_path / "parity").mkdir()
    assert main(shlex.split(making)[1:]) == 0
    assert main(shlex.split(script("baseline", "Record today"))[1:]) == 0
    compare = shlex.split(script("baseline", "Compare with the baseline"))[1:]
    assert main([*compare, "--json", "gate.json"]) == 0 and (tmp_path / "baseline.html").exists()
    assert json.loads((tmp_path / "gate.json").read_text())["verdict"] == "same"
    from parity.ugatit import faults
    with faults.inject("biased_variance"):
        assert main(shlex.split(script("baseline", "Record today").replace("today", "tomorrow"))[1:]) == 0
    assert main([word.replace("today", "tomorrow") for word in compare]) == 1


def test_our_own_workflows_make_what_there_is():
    """The site among it, where a broken link or anchor is an error."""
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    flows = [yaml.load(path.read_text(), yaml.BaseLoader) for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    runs = [step["run"] for flow in flows for job in flow["jobs"].values() for step in job["steps"] if "run" in step]
    made = {target for run in runs for target in re.findall(r"^make ([a-z]+)$", run, re.MULTILINE)}
    assert {"docs", "exam", "nightly", "mutants"} <= made <= set(targets)
    assert "mkdocs build --strict" in (ROOT / "Makefile").read_text()

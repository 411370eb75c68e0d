"""The workflow that makes the table of versions, and the scripts that it and a machine with a GPU run."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from pages import ROOT

WORKFLOW = yaml.load((ROOT / ".github" / "workflows" / "versions.yml").read_text(), yaml.BaseLoader)
SCRIPT = (ROOT / "ci" / "versions.sh").read_text()


def test_the_matrix_has_what_is_promised():
    combinations = WORKFLOW["jobs"]["combination"]["strategy"]["matrix"]["include"]
    tried = {name: {row[name] for row in combinations} for name in ("python", "torch", "paddle", "numpy")}
    assert tried["python"] == {"3.10", "3.11", "3.12", "3.13"} and {"2.6.2", "3.0.0", "newest"} == tried["paddle"]
    assert {"2.1.2", "newest"} <= tried["torch"] and {version[0] for version in tried["numpy"]} == {"1", "2"}
    requires = (ROOT / "pyproject.toml").read_text()
    assert 'requires-python = ">=3.10"' in requires and '"torch>=2.1"' in requires and '"paddlepaddle>=2.6.2"' in requires


def test_the_table_has_a_column_for_each_step():
    run = next(step["run"] for step in WORKFLOW["jobs"]["table"]["steps"] if "run" in step)
    (header,) = re.findall(r'echo "(\| Python .*\|)"', run)
    columns = [column.strip() for column in header.strip("| ").split("|")]
    assert len(columns) == 4 + len(re.findall("^tried ", SCRIPT, re.MULTILINE))
    assert WORKFLOW["jobs"]["combination"]["steps"][-1]["with"]["path"] == "versions/row.md" and 'tee "$out/row.md"' in SCRIPT


@pytest.mark.parametrize("name", ["versions.sh", "gpu_check.sh", "setup.sh"])
def test_the_scripts_are_bash(name):
    subprocess.run(["bash", "-n", str(ROOT / "ci" / name)], check=True)

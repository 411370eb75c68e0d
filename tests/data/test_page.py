"""docs/data-and-metrics.md: its files and commands are run as they stand, and print what it shows."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from parity.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "data-and-metrics.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind, text in BLOCKS:
        if kind == "python":
            Path(text.partition("\n")[0].removeprefix("# ")).write_text(text)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "text"],
                         ids=lambda text: text.partition("\n")[0])
def test_a_command_of_the_page(folder, capsys, text):
    command, _, shown = text.partition("\n")
    code = main(shlex.split(command)[2:])
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert code == (0 if shown.startswith("same") else 1)
    assert shown.strip() in printed
    if "--picture" in command:
        assert (folder / "difference.png").is_file()

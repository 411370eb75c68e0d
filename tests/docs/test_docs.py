"""What the documentation tells people to type: the program takes every command, and what is quick is run as it stands."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import paddle
import pytest
from pages import PAGES, ROOT, TWINS, Block, blocks

from parity.cli import cli, main
from parity.recordings import parity_recorder as recorder

BLOCKS = [block for page in PAGES for block in blocks(page)]
CODE = [block for block in BLOCKS if block.commands or block.kind in ("python", "sh")]

# Blocks that are run, by page and heading ("*": all of the page): here, or in the test that is named.
RUN = {
    ("README.md", "Port your own model"): "test_the_readme_says_what_the_page_is_run_for",
    ("docs/tutorial.md", "*"): "test_the_tutorial",
    ("docs/reading-a-verdict.md", "Reading a verdict"): "test_the_report_is_what_the_page_shows",
    ("docs/port-your-own-model.md", "Port your own model"): "tests/declare/test_port_your_own.py",
    ("docs/port-your-own-model.md", "Without a file"): "tests/declare/test_port_your_own.py",
    ("docs/port-your-own-model.md", "A pair file"): "tests/declare/test_port_your_own.py",
    ("docs/port-your-own-model.md", "Train both"): "tests/declare/test_port_your_own.py",
    ("docs/port-your-own-model.md", "In your own CI"): "tests/declare/test_port_your_own.py",
    ("docs/port-your-own-model.md", "The change that mends it"): "tests/mending/test_fix.py",
    ("docs/my-loss-does-not-go-down.md", "1. Run it"): "tests/doctor/test_command.py",
    ("docs/my-loss-does-not-go-down.md", "In your own loop"): "test_the_doctor_in_ones_own_loop",
    ("docs/my-loss-does-not-go-down.md", "What is odd, and meant"): "test_the_doctor_in_ones_own_loop",
    ("docs/data-and-metrics.md", "*"): "tests/data/test_page.py",
    ("docs/differences.md", "*"): "tests/differences/test_differences.py",
}
# Blocks whose commands are only checked (they exist, and take these options), and why.
MINUTES, DATA, INSTALLS = "takes minutes", "needs a checkpoint or pictures of one's own", "installs packages"
CHECKED = {
    ("README.md", "paddle-parity"): "the tutorial's",
    ("README.md", "Install"): f"{INSTALLS}; make demo and make test are CI itself; tests/test_wheel.py builds a wheel",
    ("README.md", "U-GAT-IT"): DATA,
    ("README.md", "My loss does not go down"): "train.py is the reader's; tests/doctor/test_command.py runs the page's",
    ("README.md", "Elsewhere, or another day"): f"{MINUTES}; test_record_diff runs smaller ones",
    ("docs/u-gat-it.md", "What a difference looks like"): "of a twin with a fault in it",
    ("docs/u-gat-it.md", "The demo"): DATA,
    ("docs/convert-a-checkpoint.md", "Convert a checkpoint"): DATA,
    ("docs/u-gat-it.md", "Compare"): f"{MINUTES}; {DATA}; test_cli runs smaller ones",
    ("docs/train-side-by-side.md", "Train side by side"): f"{MINUTES}; test_cli_steps runs smaller ones",
    ("docs/u-gat-it.md", "Train, with either framework"): f"{MINUTES}; {DATA}; test_trainer runs smaller ones",
    ("docs/u-gat-it.md", "What broke the 2020 run"): f"{MINUTES}; test_explain_report runs a smaller one",
    ("docs/u-gat-it.md", "The exam"): MINUTES,
    ("docs/evaluate.md", "KID and FID"): f"{DATA}; test_evaluate_command",
    ("docs/evaluate.md", "The same in both frameworks"): "test_evaluation compares the same pairs",
    ("CONTRIBUTING.md", "Two loops"): "they run these tests",
    ("docs/two-environments.md", "Two environments: record here, compare there"): f"{MINUTES}; test_record_diff",
    ("docs/two-environments.md", "With one framework installed"): "needs two environments; test_lone blocks imports",
    ("docs/two-environments.md", "Your own pair"): f"{MINUTES}; test_lone",
    ("docs/two-environments.md", "Paddle 2.6.2 and 3.0.0 beside 3.3.1"): "needs other Paddles; test_record_diff",
    ("docs/old-environments.md", "Old environments: judge a port where it runs"): "test_recorder",
    ("docs/old-environments.md", "Limits"): "needs other Paddles; test_recorder",
    ("docs/ports-of-2020.md", "How each was run"): "needs Paddle 1.8.5 and the ports; test_recorder",
    ("docs/ports-of-2020.zh-CN.md", "如何运行"): "needs Paddle 1.8.5 and the ports; test_recorder",
    ("docs/what-broke-2020.md", "What broke the 2020 run"): f"{MINUTES}; test_explain_report runs a smaller one",
    ("docs/campaigns.md", "*"): f"{MINUTES}; test_campaign runs smaller ones and the Python code",
    ("docs/cost.md", "*"): f"{MINUTES}; test_interleaved runs smaller ones",
    ("docs/fuzzing.md", "*"): f"{MINUTES}; test_convert_fuzz runs fewer cases",
    ("docs/the-table.md", "Verdicts"): f"{MINUTES}; tests/ugatit/test_systems.py",
    ("docs/the-table.md", "The ablation"): f"{DATA}; tests/ugatit/test_ablation.py",
}


def complaint(words: list[str]) -> str | None:
    """Why a command would be refused, if so."""
    while words and re.fullmatch(r"[A-Z_0-9]+=.*", words[0]):
        words = words[1:]
    if words[:1] and words[0].endswith("python") and words[1:2] == ["-m"]:
        words = words[2:]
    words = words[:words.index(">")] if ">" in words else words
    if not words:
        return None
    name, rest = words[0], words[1:]
    if name == "parity":
        return _refused(*cli.resolve_command(click.Context(cli), rest)[1:]) if rest else None
    if name.startswith("benchmarks."):
        command = getattr(importlib.import_module(name), "main", None)
        return _refused(command, rest) if isinstance(command, click.Command) else None
    if name == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return None if rest and rest[0] in targets else f"the Makefile has no {' '.join(rest)}"
    if name == "pytest":
        paths = [path for path in rest if path.startswith(("tests/", "parity/"))]
        return next((f"there is no {path}" for path in paths if not (ROOT / path).exists()), None)
    if (name, *rest[:1]) == ("python", "parity_recorder.py"):
        try:
            return recorder.parsed(rest[1:]) and None
        except SystemExit:
            return f"parity_recorder.py refuses {shlex.join(rest[1:])}"
    if name == "python":
        return None if (ROOT / rest[0]).exists() else f"there is no {rest[0]}"
    return None if name in ("cd", "pip", "sed", "dask") else f"what is {name}?"


def _refused(command: click.Command, rest: list[str]) -> str | None:
    try:
        command.make_context(command.name, list(rest))
    except click.ClickException as error:
        return error.format_message()
    return None


def test_every_block_is_run_or_checked_and_said_why_not():
    whole = {page for page, heading in RUN.keys() | CHECKED.keys() if heading == "*"}
    places = {(block.page, "*" if block.page in whole else block.heading) for block in CODE}
    assert dict.fromkeys(places - RUN.keys() - CHECKED.keys(), "neither run nor checked") == {}
    assert (RUN.keys() | CHECKED.keys()) - places == set() and not RUN.keys() & CHECKED.keys()


def test_every_link_leads_to_a_file():
    pages = [*PAGES, *(chinese for _, chinese in TWINS)]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([\w./-]+\.(?:md|png|yml))\b", page.read_text())]
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == [] and len(links) > 100


def test_every_command_is_one_that_the_program_takes():
    wrong = {}
    for block in BLOCKS:
        for words in block.commands:
            try:
                trouble = complaint(words)
            except click.UsageError as error:  # no such command
                trouble = error.format_message()
            if trouble:
                wrong[f"{block.page}, {block.heading}: {shlex.join(words)}"] = trouble
    assert wrong == {}
    assert sum(len(block.commands) for block in BLOCKS) > 50


@pytest.mark.parametrize(("line", "trouble"), [
    ("parity check --lane float65", "float65"), ("parity chek", "chek"), ("parity compare", "Missing argument"),
    ("make nothing", "no nothing"), ("pytest tests/test_nothing.py", "no tests/test_nothing.py"), ("partiy check", "partiy"),
    ("python -m benchmarks.noise_floor --of x", "--of"),
])
def test_a_command_that_would_be_refused_is_seen(line, trouble):
    (words,) = Block("page", "heading", "sh", line).commands
    try:
        said = complaint(words)
    except click.UsageError as error:
        said = error.format_message()
    assert said is not None and trouble in said


# --- blocks that are run ---------------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Runs commands of a page in an empty folder and returns their exit codes; the modules that they import are forgotten."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    here = Path(tmp_path)

    def run(commands: list[list[str]]) -> dict[str, int]:
        nonlocal here
        codes = {}
        for words in commands:
            line = shlex.join(words)
            if words[0] == "cd":
                here = here / words[1]
                monkeypatch.chdir(here)
            elif words[0] == "sed":
                _, old, new, _ = words[2].split("/")
                file = here / words[3]
                assert old in file.read_text()
                file.write_text(file.read_text().replace(old, new))
            elif words[0] == "parity":
                codes[line] = main(words[1:])
        return codes

    yield run
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("my_", "test_my", "classifier_")):
            del sys.modules[name]


def of(page: str, heading: str, kind: str | None = None) -> list[Block]:
    found = [block for block in BLOCKS if (block.page, block.heading) == (page, heading) and kind in (None, block.kind)]
    assert found, f"{page} has no block in {heading}"
    return found


def test_the_readme_says_what_the_page_is_run_for():
    """Its commands are those of docs/port-your-own-model.md, which tests/declare/test_port_your_own.py runs."""
    alone, first = of("README.md", "Port your own model")
    (page,) = of("docs/port-your-own-model.md", "Port your own model")
    assert [words[:2] for words in first.commands] == [words[:2] for words in page.commands]
    (command,) = alone.commands
    assert command[:2] == ["parity", "compare"] and complaint(command) is None


TUTORIAL = "docs/tutorial.md"


@pytest.fixture
def tutored(tmp_path):
    """The tutorial's files, as it tells to save them."""
    for heading, names in (("1. Two files", ["classifier_torch.py", "classifier_paddle.py"]), ("5. Keep it so", ["test_port.py"])):
        for block, name in zip(of(TUTORIAL, heading, "python"), names, strict=True):
            (tmp_path / name).write_text(block.text + "\n")
    return tmp_path


def commands(*headings: str) -> list[list[str]]:
    return [words for heading in headings for block in of(TUTORIAL, heading, "sh") for words in block.commands]


def test_the_tutorial(shell, tutored, capsys):
    """Its first verdict, and that the patch which it shows is of these files; the slow test below runs all of it."""
    assert list(shell(commands("2. Compare them")).values()) == [1]
    (shown,) = of(TUTORIAL, "2. Compare them", "text")
    assert _without_measurements(shown.text) in _without_measurements(capsys.readouterr().out)
    (patch,), text = of(TUTORIAL, "3. Have it mended", "diff"), (tutored / "classifier_paddle.py").read_text()
    for line in patch.text.splitlines():
        assert line.startswith("+") != (line[1:] in text), line


@pytest.mark.slow
def test_the_tutorial_to_its_end(shell, tutored, capsys):
    (ask,), (mend,) = commands("2. Compare them"), commands("3. Have it mended")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", *mend], cwd=tutored, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    (patch,) = of(TUTORIAL, "3. Have it mended", "diff")
    text = (tutored / "classifier_paddle.py").read_text()
    assert all((line[1:] in text) == (line[0] != "-") for line in patch.text.splitlines())
    capsys.readouterr()
    assert list(shell([ask]).values()) == [0]
    (sentence,) = of(TUTORIAL, "4. Ask again", "text")
    assert sentence.text in capsys.readouterr().out
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "parity.plugin", "test_port.py"], cwd=tutored,
                          env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_report_is_what_the_page_shows(shell, capsys):
    page = "docs/reading-a-verdict.md"
    (commands,) = (block.commands for block in of(page, "Reading a verdict"))
    codes = shell(commands)
    assert list(codes.values()) == [0, 1]
    printed = _without_measurements(capsys.readouterr().out)
    shown = [block for block in BLOCKS if block.page == page and block.kind == "text"]
    assert len(shown) == 5
    for block in shown:
        assert _without_measurements(block.text) in printed, block.heading
    assert "zh-CN" in Path("report.html").read_text()


def _without_measurements(text: str) -> str:
    """Distances, floors and seconds differ from processor to processor, and with them the widths of a table's columns."""
    lines = (re.sub(r"-?\d+(\.\d+)?e[+-]\d+|-?\d+\.\d+", "#", re.sub(r"─+", "─", line)) for line in text.splitlines())
    return "\n".join(" ".join(line.split()) for line in lines)


def test_the_doctor_in_ones_own_loop():
    """The Python blocks of docs/my-loss-does-not-go-down.md beside its script, around a small program."""
    page = "docs/my-loss-does-not-go-down.md"
    encoder, head = paddle.nn.Linear(4, 4), paddle.nn.Linear(4, 1)
    optimizer = paddle.optimizer.Adam(1e-3, parameters=[*encoder.parameters(), *head.parameters()])

    def body(batch: paddle.Tensor) -> None:
        paddle.nn.functional.mse_loss(head(encoder(batch)), batch.sum(axis=1, keepdim=True)).backward()
        optimizer.step()
        optimizer.clear_grad()

    names = {"encoder": encoder, "head": head, "optimizer": optimizer, "models": {"encoder": encoder, "head": head}, "body": body,
             "optimizers": {"adam": optimizer}, "loader": [paddle.randn([8, 4]) for _ in range(3)]}
    (loop,), (declared,) = (of(page, heading, "python") for heading in ("In your own loop", "What is odd, and meant"))
    assert loop.text.count("        ...  ") == 1
    exec(loop.text.replace("...  ", "body(batch)  "), names)
    assert names["d"].findings == () or names["d"].findings == []
    exec(declared.text, names)

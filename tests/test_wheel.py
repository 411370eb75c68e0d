"""What is installed: four packages and their data, which leave a user's own names alone, and say it where Paddle is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheel")

ROOT = Path(__file__).parents[1]
BLOCKED = ROOT / "tests" / "shared" / "blocked.py"
PACKAGES = {"parity", "torch_ref", "paddle_impl", "weights_convert"}
NOT_INSTALLED = {"testsuite"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel holds, made of a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in [*PACKAGES, "exams", "pyproject.toml", "README.md", "LICENSE"]:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / "src" / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(path, folder / "src" / name)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder), "./src"]
    made = subprocess.run([sys.executable, "-m", "pip", *build], cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def run(installed: Path, folder: Path, *arguments: str, without: str | None = None) -> subprocess.CompletedProcess:
    """A command in a process that sees the installed packages, and this repository not at all."""
    start = ["-m", "parity"] if without is None else [str(BLOCKED), without]
    return python(installed, folder, *start, *arguments)


def python(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONWARNINGS": "ignore", "PYTEST_ADDOPTS": ""}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=500)


def test_the_wheel_holds_four_packages(installed):
    held = {path.name for path in installed.iterdir()}
    assert {name for name in held if not name.endswith(".dist-info")} == PACKAGES and len(held) == 5


def test_every_file_is_there_but_what_is_for_a_checkout(installed):
    """Templates, translations, recorded weights, `py.typed`: what is not Python is easily forgotten."""
    def files(root: Path) -> set[str]:
        return {str(path.relative_to(root)) for package in PACKAGES for path in (root / package).rglob("*")
                if path.is_file() and path.suffix != ".pyc"}

    missing = {name for name in files(ROOT) - files(installed) if Path(name).name != "README.md"}
    assert {Path(name).parts[1] for name in missing} == NOT_INSTALLED and files(installed) <= files(ROOT)
    assert {"parity/py.typed", "weights_convert/py.typed"} <= files(installed)
    assert {Path(name).suffix for name in files(installed)} >= {".py", ".html", ".po", ".npz"}


# --- beside a user's code --------------------------------------------------------------------------------------------

NET = """
import {framework}
import json
assert json.WHOSE == "the user's"
F = {framework}.nn.functional


class Net({framework}.nn.{base}):
    def __init__(self):
        super().__init__()
        self.fc = {framework}.nn.Linear(3, 2)

    def forward(self, x):
        y = F.relu(self.fc(x))
        return y
"""
TORCH = NET.format(framework="torch", base="Module") + """

class Trainer:
    def __init__(self):
        torch.manual_seed(0)  # of some weights no unit is awake
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.1)

    def step(self, x):
        loss = (self.net(x) - 1).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss
"""
PADDLE = NET.format(framework="paddle", base="Layer") + """

class Trainer:
    def __init__(self):
        paddle.seed(0)
        self.net = Net()
        self.optimizer = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())

    def step(self, x):
        loss = (self.net(x) - 1).square().mean()
        self.optimizer.clear_grad()
        loss.backward()
        self.optimizer.step()
        return loss
"""
FILES = {
    "json.py": 'WHOSE = "the user\'s"',
    "torch_ref/__init__.py": TORCH,
    "paddle_impl/__init__.py": PADDLE,
    "trainer.py": "import torch\nfrom torch_ref import Trainer\nrunning = Trainer()\n\n\n"
                  "def step():\n    return running.step(torch.randn(8, 3))\n",
    "pair.py": "import paddle_impl, torch_ref, trainer\nfrom parity.inputs import normal\nfrom parity.port import Port\n"
               "from parity.training import Training\n\n"
               "pair = Port(torch_ref.Net, paddle_impl.Net, inputs=[normal(4, 3)],\n"
               "            training=Training(torch_ref.Trainer, paddle_impl.Trainer, batch=[normal(4, 3)]))\n",
    "test_pair.py": "from pair import pair\n\n\ndef test_the_pair(parity):\n    parity(pair, lanes=['float64'])\n",
}


@pytest.fixture
def folder(tmp_path):
    """A user's, with files of names that are ours, or the standard library's."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("arguments", [
    ["compare", "pair.py", "--lane", "float64"],
    ["compare", "torch_ref:Net", "paddle_impl:Net", "--input", "4,3", "--lane", "float64"],
    ["steps", "pair.py", "--steps", "1", "--lane", "float64"], ["doctor", "trainer:step"],
], ids=lambda arguments: " ".join(arguments[:2]))
def test_a_users_names_are_the_users(installed, folder, arguments):
    done = run(installed, folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_difference_in_a_users_paddle_impl_is_found_there(installed, folder):
    twin = folder / "paddle_impl" / "__init__.py"
    twin.write_text(twin.read_text().replace("F.relu(", "F.gelu("))
    done = run(installed, folder, "compare", "pair.py", "--lane", "float64")
    assert done.returncode == 1 and "paddle_impl/__init__.py" in done.stdout and "F.gelu(" in done.stdout, done.stdout + done.stderr


def test_the_plugin_beside_a_users_names(installed, folder):
    (folder / "json.py").rename(folder / "own_json.py")  # pytest itself imports json, from this folder first
    for name in ("torch_ref", "paddle_impl"):
        file = folder / name / "__init__.py"
        file.write_text(file.read_text().replace("import json\n", "import own_json as json\n"))
    done = python(installed, folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pair.py")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


# --- without Paddle --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    ["compare", "pair.py"], ["steps", "pair.py", "--steps", "1"], ["check"], ["steps", "--steps", "1"], ["demo"], ["explain"],
    ["faults"], ["differences"],
], ids=" ".join)
def test_without_paddle_a_command_says_so_in_one_line(installed, folder, arguments):
    done = run(installed, folder, *arguments, without="paddle")
    said = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 2 and len(said) == 1 and "paddle" in said[0], done.stdout + done.stderr
    assert "install" in said[0] or "pair.py: cannot be imported" in said[0]


@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "trainer:step"], ["init", "new"]], ids=" ".join)
def test_what_needs_no_paddle_does_without(installed, folder, arguments):
    done = run(installed, folder, *arguments, without="paddle")
    assert done.returncode == 0, done.stdout + done.stderr

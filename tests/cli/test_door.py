"""The one door: what it takes, what it refuses before anything runs, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import paddle
import pytest
import torch

import parity
from parity import blame, doctor
from parity.cli import main
from parity.compare import ladder
from parity.declare import example
from parity.steps import follow as lockstep
from parity.steps import runner
from parity.steps.reference import record_reference
from parity.steps.stored import record_to
from parity.verdict.findings import Report
from parity.verdict.findings import Verdict as V

pytest_plugins = ["pytester"]
PAIR = parity.Port(lambda: torch.nn.Linear(3, 2), lambda: paddle.nn.Linear(3, 2), inputs=[parity.normal(4, 3)], name="linear",
                   modes=["eval"])
WRONG = parity.Port(lambda: torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()),
                    lambda: paddle.nn.Sequential(paddle.nn.Linear(3, 2), paddle.nn.Sigmoid()), inputs=[parity.normal(4, 3)],
                    modes=["eval"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in example.FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_everything_of_the_door_is_there():
    assert parity.__all__ == sorted(parity.__all__, key=lambda name: (name[0].islower() or name[0] == "_", name))
    for name in parity.__all__:
        assert getattr(parity, name) is not None and name in dir(parity)
    for name in ("compare", "follow", "record", "diff", "convert"):
        documented = parity.door.compare if name == "compare" else getattr(parity, name)
        assert "Raises" in documented.__doc__
    assert callable(parity.compare) and parity.compare.ladder is ladder and parity.doctor is doctor
    with pytest.raises(AttributeError, match="nothing"):
        _ = parity.nothing


def test_a_pair_is_compared_followed_recorded_and_told_apart(folder):
    summary = parity.compare("my_pair.py", lanes=["float64"], modes=["eval"], seed=3)
    assert (summary.verdict, [result.case.mode for result in summary.results]) == ("same", ["eval"])
    assert parity.compare(WRONG, lanes=["float64"], quick=True).verdict == "diverged"
    assert parity.record("my_pair.py", "there", modes=["eval"]) > 1000
    assert parity.diff("there", "there").verdict == "same"
    assert parity.record("my_pair.py", "steps", steps=1) > 1000
    assert parity.follow("my_pair.py", against="steps").verdict == "same"


def test_the_version_is_said(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"parity {parity.__version__}\n"


@pytest.mark.parametrize("module", ["parity", "parity.cli"])
def test_as_a_module(module):
    done = subprocess.run([sys.executable, "-m", module, "chek"], capture_output=True, text=True)
    assert done.returncode == 2 and "No such command" in done.stderr


# --- nothing passes that compared nothing ----------------------------------------------------------------------------

TRAINING = object()  # arguments are looked at before it is
LISTS = [("lanes", "float64"), ("lanes", ["float46"]), ("lanes", ()), ("lanes", None), ("lanes", [64]), ("lanes", 1)]
MODES = [("modes", []), ("modes", "eval"), ("modes", ["evil"]), ("modes", ["eval", "evil"])]
SEEDS = [("seed", -1), ("seed", 1.5), ("seed", "0"), ("seed", True), ("seed", 2**32)]
COUNTS = [("steps", 0), ("steps", -1), ("steps", 1.0), ("steps", True), ("mode", "fre"), ("mode", ["free"]), ("draws", 0),
          ("draws", -3), ("floor_every", 0)]
DEVICE = [("device", "tpu"), ("device", None), ("device", "")]
ENTRIES = {
    parity.door.compare: [*LISTS, *MODES, *SEEDS, *DEVICE],
    parity.follow: [*LISTS, *COUNTS, *SEEDS, *DEVICE],
    parity.record: [("lane", "float46"), ("lane", ["float64"]), ("side", "both"), ("keep", "most"), *MODES, *SEEDS, *DEVICE,
                    *COUNTS],
    ladder.compare: [*LISTS, *DEVICE, ("draws", 0), ("draws", -1)],
    ladder.glance: [("lane", "float46"), *DEVICE],
    lockstep.follow: [("lane", "float46"), *COUNTS],
    record_reference: [("lane", "float46"), *(case for case in COUNTS if case[0] != "floor_every")],
    record_to: [("lane", "float46"), *COUNTS],
    runner.run: LISTS,
}


@pytest.mark.parametrize(("entry", "name", "value"), [(entry, *case) for entry, cases in ENTRIES.items() for case in cases],
                         ids=lambda value: getattr(value, "__qualname__", None) or repr(value))
def test_an_argument_that_is_none_is_refused_before_anything_runs(entry, name, value, tmp_path):
    arguments = {"pair": PAIR if entry is parity.door.compare else "nothing.py", "subject": TRAINING, "training": TRAINING,
                 "folder": tmp_path, "steps": 1}
    taken = entry.__code__.co_varnames[:entry.__code__.co_argcount + entry.__code__.co_kwonlyargcount]
    with pytest.raises(parity.InputError, match=f"^{name}: expected"):
        result = entry(**{key: given for key, given in {**arguments, name: value}.items() if key in taken})
        list(result)  # a generator has not begun yet


@pytest.mark.parametrize(("arguments", "said"), [
    (["--lane", "float46"], "float46"), (["--no-train", "--no-eval"], "nothing to compare"), (["--device", "tpu"], "tpu"),
    (["--seed", "-1"], "-1"), (["--calls", "0"], "0")])
def test_the_command_line_refuses_it_too(folder, capsys, arguments, said):
    assert main(["compare", "my_pair.py", *arguments]) == 2 or pytest.fail("it ran")
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("arguments", ["lanes='float64'", "lanes=['float46']", "lanes=[]", "modes=[]", "modes=['evil']",
                                       "device='tpu'", "seed=-1"])
def test_the_plugin_refuses_it_too(pytester, arguments):
    pytester.makeconftest("")
    for name, text in example.FILES.items():
        (pytester.path / name).write_text(text)
    name = arguments.partition("=")[0]
    (pytester.path / "test_my_pair.py").write_text(f"from my_pair import pair\ndef test(parity):\n    parity(pair, {arguments})\n")
    plugin = () if pytester._request.config.pluginmanager.hasplugin("parity") else ("-p", "parity.plugin")
    result = pytester.inline_run("-p", "no:cacheprovider", *plugin)
    (report,) = [report for report in result.getreports("pytest_runtest_logreport") if report.when == "call"]
    assert report.failed and str(report.longrepr).startswith(f"{name}: expected")


def test_a_port_without_modes_or_calls():
    for changed, said in (({"modes": []}, "modes: expected"), ({"modes": "eval"}, "modes: expected"), ({"calls": 0}, "calls: ")):
        port = parity.Port(PAIR.reference, PAIR.twin, inputs=PAIR.inputs, **changed)
        with pytest.raises(parity.InputError, match=said):
            parity.compare(port)
    with pytest.raises(parity.InputError, match="found int"):
        parity.compare(3)
    with pytest.raises(parity.NothingCompared):
        parity.compare([])


def test_the_census_alone_is_no_comparison():
    report = Report("net", census=5)
    report.counts[V.SAME] = 5
    with pytest.raises(parity.NothingCompared):
        _ = report.verdict
    report.counts[V.SAME] += 1
    assert report.verdict == "same"


# --- beside a user's code --------------------------------------------------------------------------------------------

LOADED = """
import sys
import pytest
from parity.cli import main
assert main(["compare", "my_pair.py", "--lane", "float64", "--no-train", "--html", "page.html"]) == 0
assert main(["steps", "my_pair.py", "--steps", "1"]) == 0
assert main(["record", "--side", "reference", "--pair", "my_pair.py", "--no-train", "there"]) == 0
assert main(["diff", "there", "there"]) == 0
from my_pair import pair
import torch
torch.save(pair.reference().state_dict(), "a.pt")
assert main(["convert", "--pair", "my_pair.py", "a.pt", "converted"]) == 0
assert pytest.main(["-q", "-p", "no:cacheprovider", *PLUGIN, "test_my_pair.py"]) == 0
own = [name for name in sys.modules if name.partition(".")[0] in ("torch_ref", "paddle_impl") or name.startswith("parity.ugatit")]
assert own == [], own
"""


def test_a_pair_of_ones_own_loads_nothing_of_ugatit(folder):
    from importlib.metadata import entry_points
    installed = any(point.value == "parity.plugin" for point in entry_points(group="pytest11"))
    (folder / "test_my_pair.py").write_text("from my_pair import pair\ndef test(parity):\n    parity(pair, lanes=['float64'])\n")
    code = LOADED.replace("PLUGIN", "[]" if installed else '["-p", "parity.plugin"]')
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


NAMES = ["trainer", "json", "torch_ref", "paddle_impl", "weights_convert", "queue"]


def test_files_of_any_name_beside_a_pair(folder):
    """By the installed command, as it were: the folder is not on the path, and nothing of ours has been loaded."""
    pair = (folder / "my_pair.py").read_text()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"NAME = {name!r}")
        pair += f"\nfrom {name} import NAME\nassert NAME == {name!r}\n"
    (folder / "json.py").write_text(f"{(folder / 'my_pair.py').read_text()}\nNAME = 'json'\n")
    (folder / "my_pair.py").write_text(pair)
    code = ("import sys; sys.path[:] = [path for path in sys.path if path not in ('', sys.argv[1])]; from parity.cli import main\n"
            "for pair in ('my_pair.py', 'json.py'):\n"
            "    assert main(['compare', pair, '--lane', 'float64', '--no-train']) == 0\n"
            "    assert main(['steps', pair, '--steps', '1']) == 0\n"
            "    assert main(['doctor', f'{pair}:pair', '--iterations', '2']) == 0\n")
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_of_any_name_beside_a_pair_and_python_m(folder):
    (folder / "json.py").write_text("raise RuntimeError('not for a library')")
    done = subprocess.run([sys.executable, "-m", "parity", "compare", "my_pair.py", "--lane", "float64", "--no-train"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# --- whose error it is -----------------------------------------------------------------------------------------------


class Stopping(torch.nn.Module):
    def forward(self, x):
        sys.exit(0)


class StoppingTwin(paddle.nn.Layer):
    def forward(self, x):
        sys.exit(0)


class Raising(torch.nn.Module):
    def forward(self, x):
        return x @ x


class RaisingTwin(paddle.nn.Layer):
    def forward(self, x):
        return x @ x


class Unbuildable(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(1 // 0, 1)


def stopped():
    sys.exit(0)


def raised():
    raise KeyError("the user's")


def pair_of(reference, twin):
    return parity.Port(reference, twin, inputs=[parity.normal(4, 3)], modes=["eval"])


@pytest.mark.parametrize(("pair", "said"), [
    (pair_of(stopped, paddle.nn.ReLU), r"reference stopped: it ended the process \(sys.exit\(0\)\)"),
    (pair_of(torch.nn.ReLU, stopped), r"twin stopped: it ended the process"),
    (pair_of(Stopping, paddle.nn.ReLU), r"Stopping \(eval\): it ended the process \(sys.exit\(0\)\) at .*test_door.py:\d+"),
    (pair_of(torch.nn.ReLU, StoppingTwin), r"it ended the process \(sys.exit\(0\)\)"),
    (pair_of(raised, paddle.nn.ReLU), r"reference raised: it cannot be built \(KeyError: \"the user's\"\)"),
    (pair_of(torch.nn.ReLU, raised), r"twin raised: it cannot be built"),
    (pair_of(Unbuildable, paddle.nn.ReLU), r"reference Unbuildable: it cannot be built \(ZeroDivisionError: .*test_door.py:\d+"),
    (pair_of(Raising, paddle.nn.ReLU), r"the reference program itself cannot run on these inputs .*at .*test_door.py:\d+"),
])
def test_what_the_user_raises_is_refused_with_its_place(pair, said):
    with pytest.raises(parity.InputError, match=said):
        parity.compare(pair, lanes=["float64"])


def test_what_the_twin_raises_is_a_finding():
    summary = parity.compare(pair_of(torch.nn.ReLU, RaisingTwin), lanes=["float64"])
    assert summary.verdict == "diverged" and "the twin raised" in str(summary.headline[1])
    assert summary.headline[1].twin.file == __file__


@pytest.mark.parametrize("side", ["torch", "paddle"])
def test_a_fault_of_ours_in_the_middle_of_a_program_is_ours(monkeypatch, side):
    """In a hook, with the user's forward around it: that forward has nothing to do with it."""
    from parity.frameworks import PaddleFramework, TorchFramework
    framework = TorchFramework if side == "torch" else PaddleFramework
    made = {"original": framework.array, "inside": INSIDE}
    exec(compile(FAILING, blame.HOME + "frameworks/failing.py", "exec"), made)
    monkeypatch.setattr(framework, "array", made["array"])
    with pytest.raises(RuntimeError, match="ours"):
        parity.compare(pair_of(Local, LocalTwin), lanes=["float64"])


FAILING = """
def array(self, tensor, *, copy):
    if inside:
        raise RuntimeError("ours")
    return original(self, tensor, copy=copy)
"""
INSIDE: list[int] = []


class Local(torch.nn.Module):
    def forward(self, x):
        INSIDE.append(1)
        try:
            y = x * 2
            z = y + 1
            return z
        finally:
            INSIDE.clear()


class LocalTwin(paddle.nn.Layer):
    def forward(self, x):
        INSIDE.append(1)
        try:
            y = x * 2
            z = y + 1
            return z
        finally:
            INSIDE.clear()


def test_a_step_that_ends_the_process(folder):
    text = (folder / "my_torch.py").read_text()
    stopping = "    def step(self, *batch):\n        raise SystemExit(0)\n\n    def old(self"
    (folder / "my_torch.py").write_text(text.replace("    def step(self", stopping))
    with pytest.raises(parity.InputError, match="ended the process"):
        parity.follow("my_pair.py", steps=1)


def test_numbers_of_numpy_are_numbers():
    assert parity.compare(PAIR, lanes=np.array(["float64"]), seed=np.int64(3)).verdict == "same"

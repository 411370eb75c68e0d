"""parity_recorder.py, the one file for old environments: what it records is what a twin of today records of itself."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parity.cli import main
from parity.recordings import parity_recorder as recorder
from parity.recordings.elsewhere import recorder as text
from tests.shared import spectral

TORCH = '''
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.GroupNorm(2, 4, eps=2**-17, affine=False)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        h = self.norm(x)
        h = torch.relu(self.conv(
            h))
        return x + h

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, bias=False)
        self.blocks = nn.Sequential(Block(), Block())
        self.head = nn.Linear(4, 4)
        self.end = nn.ReLU()

    def forward(self, x):
        x = self.stem(x)
        x = self.blocks(x)
        pooled = x.mean((2, 3))
        return {"out": self.end(self.head(pooled)), "pooled": pooled}
'''

# In words that Paddle 1.8 (fluid) and 3.x both have, by the lines at its head. 2**-17: old versions round such numbers to float32.
PADDLE = '''
import os
import paddle
if paddle.__version__.startswith("1."):
    from paddle.fluid import layers
    from paddle.fluid.dygraph import Conv2D, Layer, Linear, Sequential
    def conv(i, o, **more): return Conv2D(i, o, 3, **more)
    def linear(i, o): return Linear(i, o, act="relu")
    relu, mean = layers.relu, layers.reduce_mean
    def root(x): return layers.sqrt(x)
    def reshape(x, shape): return layers.reshape(x, shape)
else:
    from paddle.nn import Layer, Linear, Sequential
    from paddle.nn import Conv2D, functional
    def conv(i, o, **more): return Conv2D(i, o, 3, **more)
    class linear(Linear):
        _act = "relu"
        def forward(self, x):
            y = super().forward(x)
            return functional.relu(y) if self._act else y
    relu = functional.relu
    def mean(x, axis, keep_dim=False): return paddle.mean(x, axis, keepdim=keep_dim)
    root, reshape = paddle.sqrt, paddle.reshape

class Norm(Layer):
    def forward(self, x):
        groups = reshape(x, [x.shape[0], 2, -1])
        m = mean(groups, 2, True)
        variance = mean((groups - m) * (groups - m), 2, True)
        return reshape((groups - m) / root(variance + 2**-17), x.shape)

class Block(Layer):
    def __init__(self):
        super(Block, self).__init__()
        self.norm = Norm()
        self.conv = conv(4, 4, padding=1)

    def forward(self, x):
        h = self.norm(x)
        h = relu(self.conv(
            h))
        WRONG
        return x + h

class Net(Layer):
    def __init__(self):
        super(Net, self).__init__()
        self.stem = conv(3, 4, bias_attr=False)
        self.layers = Sequential(Block(), Block())
        self.fc = linear(4, 4)

    def forward(self, x):
        x = self.stem(x)
        x = self.layers(x)
        pooled = mean(x, [2, 3])
        return {"pooled": pooled, "out": self.fc(pooled)}

def fails():
    raise ValueError("no such file: weights.pdparams")
'''


def written(folder, name="right", wrong="pass"):
    file = folder / f"{name}.py"
    file.write_text(PADDLE.replace("WRONG", wrong))
    return file


def there(folder, twin, lane="float64", name="there"):
    """The reference's trace for a twin of which there is an outline alone."""
    (folder / "net.py").write_text(TORCH)
    assert recorder.main([f"{twin}:Net", "--outline", str(folder / "outline.json")]) == 0
    assert main(["record", "--side", "reference", "--pair", f"{folder / 'net.py'}:Net", "--for", str(folder / "outline.json"),
                 "--input", "2,3,8,8", "--no-train", "--lane", lane, str(folder / name)]) == 0
    return folder / name


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("recorder")


@pytest.fixture(scope="module")
def traces(place):
    twin = written(place)
    return {lane: there(place, twin, lane, lane) for lane in ("float64", "float32")}


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """The recorder is a process of its own for users."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", sys.modules)


@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_the_right_twin_is_the_same(place, traces, tmp_path, capsys, lane):
    assert recorder.main([f"{place / 'right.py'}:Net", "--from", str(traces[lane]), str(tmp_path / "here")]) == 0
    assert main(["diff", str(traces[lane]), str(tmp_path / "here")]) == 0
    assert "none diverged" in capsys.readouterr().out
    assert not [path for path in (tmp_path / "here").iterdir() if path.suffix not in (".json", ".safetensors")]


@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_the_wrong_line_is_found(traces, tmp_path, lane):
    twin = written(tmp_path, "wrong_" + lane, "h = h * 1.001")
    assert recorder.main([f"{twin}:Net", "--from", str(traces[lane]), str(tmp_path / "here")]) == 0
    assert main(["diff", str(traces[lane]), str(tmp_path / "here"), "--json", str(tmp_path / "found.json")]) == 1
    first = json.loads((tmp_path / "found.json").read_text())["first"]
    wrong = next(number for number, line in enumerate(twin.read_text().splitlines(), 1) if "1.001" in line)
    assert first["module"] == "Net.blocks.0" and first["stage"] == "forward" and first["twin"]["line"] in (wrong, wrong + 1)


@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_an_activation_too_many_in_a_layer_is_found(place, traces, tmp_path, lane):
    original = tmp_path / "linear_net.py"
    original.write_text(TORCH.replace("nn.ReLU()", "nn.Identity()"))
    assert main(["record", "--side", "reference", "--pair", f"{original}:Net", "--for", str(place / "outline.json"), "--input",
                 "2,3,8,8", "--no-train", "--lane", lane, str(tmp_path / "there")]) == 0
    assert recorder.main([f"{place / 'right.py'}:Net", "--from", str(tmp_path / "there"), str(tmp_path / "here")]) == 0
    assert main(["diff", str(tmp_path / "there"), str(tmp_path / "here"), "--json", str(tmp_path / "found.json")]) == 1
    first = json.loads((tmp_path / "found.json").read_text())["first"]
    assert (first["module"], first["variable"]) == ("Net", "output['out']")
    assert "the twin's value is the relu of the reference's" in first["cause"]


@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_torch_beside_torch_needs_no_outline(place, traces, tmp_path, lane):
    there = tmp_path / "there"
    assert main(["record", "--side", "reference", "--pair", f"{place / 'net.py'}:Net", "--input", "2,3,8,8", "--no-train",
                 "--lane", lane, str(there)]) == 0
    for name, wrong, code in (("same", "h", 0), ("other", "h * 1.001", 1)):
        network = tmp_path / f"torch_{name}.py"
        network.write_text(TORCH.replace("x + h", f"x + {wrong}"))
        assert recorder.main([f"{network}:Net", "--from", str(there), str(tmp_path / name)]) == 0
        assert main(["diff", str(there), str(tmp_path / name)]) == code


@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_a_network_of_ones_own_is_left_as_it_was(place, traces, tmp_path, lane):
    network = recorder._named(f"{place / 'right.py'}:Net")()
    before = {name: value.numpy() for name, value in network.state_dict().items()}
    recorder.record(network, str(traces[lane]), str(tmp_path / "here"))
    after = {name: value.numpy() for name, value in network.state_dict().items()}
    assert main(["diff", str(traces[lane]), str(tmp_path / "here")]) == 0 and network.training
    assert before.keys() == after.keys() and len(before) == 7
    assert all(before[name].dtype == after[name].dtype and (before[name] == after[name]).all() for name in before)


def recorded(folder):
    """run -> key -> the value's hash, and the lines of it."""
    document = json.loads((folder / "program-0001.json").read_text())
    keys, sites = document["keys"], [None, *(site[:2] for site in document["sites"])]
    return {run: {tuple(keys[key]): (place, *(sites[site] and sites[site][1] for site in found))
                  for key, _, *found, place, _ in events} for run, events in document["runs"].items()}


@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_what_it_records_is_what_a_twin_of_today_records(place, tmp_path, lane, traces):
    (place / "net.py").write_text(TORCH)
    (place / "today.py").write_text(
        "import net, right\nfrom parity.inputs import normal\nfrom parity.port import Port\nclass Net(right.Net):\n"
        "    def __init__(self):\n        super().__init__()\n        self.fc._act = None\n"
        "pair = Port(net.Net, Net, inputs=[normal(2, 3, 8, 8)], modes=['eval'])\n")
    pair, lane = ["--pair", f"{place / 'today.py'}:pair", "--no-train"], ["--lane", lane]
    assert main(["record", "--side", "reference", *pair, *lane, str(tmp_path / "there")]) == 0
    assert main(["record", "--side", "twin", *pair, *lane, "--from", str(tmp_path / "there"), str(tmp_path / "today")]) == 0
    assert recorder.main([f"{place / 'today.py'}:Net", "--from", str(tmp_path / "there"), str(tmp_path / "here")]) == 0
    today, here = recorded(tmp_path / "today"), recorded(tmp_path / "here")
    assert today.keys() == here.keys()
    for run in today:
        assert len(today[run]) > 20 and today[run] == here[run]


def test_it_is_python_3_6_and_needs_numpy_alone():
    tree = ast.parse(text(), feature_version=(3, 6))
    imported = {name.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not any(isinstance(node, (ast.ImportFrom, ast.NamedExpr, ast.AnnAssign)) for node in ast.walk(tree))
    assert imported - {"numpy"} <= sys.stdlib_module_names - {"dataclasses", "contextvars", "graphlib", "zoneinfo", "tomllib"}


def test_the_command_prints_it(capsys):
    assert main(["recorder"]) == 0
    assert capsys.readouterr().out == text() == Path(recorder.__file__).read_text()


# --- what cannot be used ---------------------------------------------------------------------------------------------


def damaged(trace, folder, change):
    for path in trace.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    change(folder)
    return folder


def cut_off(pattern, size):
    def change(folder):
        path = next(folder.glob(pattern))
        path.write_bytes(path.read_bytes()[:size])
    return change


def edited(folder):
    path = folder / "program-0001.json"
    path.write_text(path.read_text().replace("transpose", "identity"))


@pytest.mark.parametrize("change, said", [
    (cut_off("start-*", 100), "damaged or cut off"),
    (cut_off("start-*", -8), "damaged or cut off"),
    (cut_off("program-*.safetensors", 5), "damaged or cut off"),
    (cut_off("index.json", 30), "cannot read it"),
    (edited, "its hash is another"),
    (lambda folder: next(folder.glob("start-*")).unlink(), "cannot read it"),
    (lambda folder: (folder / "index.json").unlink(), "found no index.json"),
])
def test_a_damaged_trace_is_refused(place, traces, tmp_path, capsys, change, said):
    (tmp_path / "there").mkdir()
    trace = damaged(traces["float64"], tmp_path / "there", change)
    assert recorder.main([f"{place / 'right.py'}:Net", "--from", str(trace), str(tmp_path / "here")]) == 2
    assert said in capsys.readouterr().err


def test_a_network_that_has_changed_is_refused(traces, tmp_path, capsys):
    twin = written(tmp_path, "changed")
    twin.write_text(twin.read_text().replace("linear(4, 4)", "linear(4, 5)"))
    assert recorder.main([f"{twin}:Net", "--from", str(traces["float64"]), str(tmp_path / "here")]) == 2
    assert "fc.weight: the reference's head.weight gives (4, 4), the network has (4, 5)" in capsys.readouterr().err
    twin.write_text(twin.read_text().replace("self.fc", "self.last"))
    sys.modules.pop("changed")
    assert recorder.main([f"{twin}:Net", "--from", str(traces["float64"]), str(tmp_path / "again")]) == 2
    assert "the network has no fc." in capsys.readouterr().err


@pytest.mark.parametrize("name, said", [("fails", "cannot be built (ValueError: no such file: weights.pdparams)"),
                                        ("Gone", "there is no Gone in it"), ("os", "expected a class or function")])
def test_a_builder_that_does_not_build_is_said(place, tmp_path, capsys, name, said):
    assert recorder.main([f"{place / 'right.py'}:{name}", "--outline", str(tmp_path / "outline.json")]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_what_the_network_raises_is_a_finding(traces, tmp_path, capsys):
    twin = written(tmp_path, "raising", "raise ValueError('no kernel for this dtype')")
    assert recorder.main([f"{twin}:Net", "--from", str(traces["float64"]), str(tmp_path / "here")]) == 0
    assert "no kernel for this dtype" in capsys.readouterr().err
    assert main(["diff", str(traces["float64"]), str(tmp_path / "here")]) == 1
    assert "no kernel for this dtype" in capsys.readouterr().out


def test_a_folder_that_holds_something_is_left_alone(place, traces, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert recorder.main([f"{place / 'right.py'}:Net", "--from", str(traces["float64"]), str(tmp_path)]) == 2
    assert "expected an empty folder" in capsys.readouterr().err and [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_trace_that_knows_nothing_of_the_twin_is_refused(place, traces, tmp_path, capsys):
    assert main(["record", "--side", "reference", "--pair", f"{place / 'net.py'}:Net", "--input", "2,3,8,8", "--no-train",
                 str(tmp_path / "there")]) == 0
    assert recorder.main([f"{place / 'right.py'}:Net", "--from", str(tmp_path / "there"), str(tmp_path / "here")]) == 2
    assert "does not say which weight of the network is which" in capsys.readouterr().err


def test_a_pair_without_twin_is_not_compared(place, traces, capsys):
    (place / "alone.py").write_text("import net\nfrom parity import inputs\nfrom parity.port import Port\n"
                                    "pair = Port(net.Net, None, inputs=[inputs.normal(2, 3, 8, 8)])\n")
    assert main(["compare", str(place / "alone.py")]) == 2
    assert "twin: it is None" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, said", [
    (["--for", "o.json", "--side", "twin", "--pair", "p.py"], "here --side is reference"),
    (["--for", "o.json", "--side", "reference"], "--pair names it"),
    (["--input", "2,3", "--side", "reference"], "only for a reference that --pair names alone"),
    (["--for", "nowhere.json", "--side", "reference", "--pair", "p.py"], "nowhere.json"),
])
def test_options_that_do_not_fit_are_refused(tmp_path, capsys, arguments, said):
    assert main(["record", *arguments, str(tmp_path / "there")]) == 2
    assert said in capsys.readouterr().err


def test_an_outline_of_something_else_is_refused(place, tmp_path, capsys):
    recorder.write_json(str(tmp_path / "outline.json"), {"kind": "parity outline", "framework": "paddle", "network": {"type": 3}})
    assert main(["record", "--side", "reference", "--pair", f"{place / 'net.py'}:Net", "--for", str(tmp_path / "outline.json"),
                 "--input", "2,3,8,8", str(tmp_path / "there")]) == 2
    assert "expected the outline of a network" in capsys.readouterr().err


# --- old environments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lane", ["float64", "float32"])
@pytest.mark.parametrize("variable", ["PARITY_PADDLE_18", "PARITY_PADDLE_26", "PARITY_PADDLE_30"])
def test_in_an_old_environment(tmp_path, variable, lane):
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no interpreter with that Paddle")
    file = tmp_path / "parity_recorder.py"
    file.write_text(text())
    (tmp_path / "net.py").write_text(TORCH)

    def old(*arguments):
        done = subprocess.run([python, str(file), *map(str, arguments)], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    for name, wrong, code in (("right", "pass", 0), ("wrong", "h = h * 1.001", 1)):
        twin = written(tmp_path, name, wrong)
        old(f"{twin}:Net", "--outline", tmp_path / f"{name}.json")
        assert main(["record", "--side", "reference", "--pair", f"{tmp_path / 'net.py'}:Net", "--input", "2,3,8,8", "--lane", lane,
                     "--for", str(tmp_path / f"{name}.json"), str(tmp_path / f"{name}-there")]) == 0
        old(f"{twin}:Net", "--from", tmp_path / f"{name}-there", tmp_path / f"{name}-here")
        found = tmp_path / f"{name}-found.json"
        assert main(["diff", str(tmp_path / f"{name}-there"), str(tmp_path / f"{name}-here"), "--json", str(found)]) == code
        assert code == 0 or json.loads(found.read_text())["first"]["module"] == "Net.blocks.0"


@pytest.mark.parametrize("twin", ["computing", "holding_parameters", "over_another_dim"])
def test_spectral_norms_of_ones_own(tmp_path, twin):
    pair, net, trace = f"{spectral.__file__}:RECORDED", f"{spectral.__file__}:{twin}", str(tmp_path / "there")
    assert recorder.main([net, "--outline", str(tmp_path / "outline.json")]) == 0
    assert main(["record", "--side", "reference", "--pair", pair, "--for", str(tmp_path / "outline.json"), "--lane",
                 "float64", trace]) == 0
    assert recorder.main([net, "--from", trace, str(tmp_path / "here")]) == 0
    main(["diff", trace, str(tmp_path / "here"), "--json", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    if twin in spectral.HEALTHY:
        assert found["verdict"] == "same"
    else:
        first = found["first"]
        assert (first["stage"], first["module"].rpartition(".")[2]) == spectral.WRONG[twin]

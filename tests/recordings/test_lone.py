"""One side recorded where the framework of the other cannot be imported; paired by an outline as by the network itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pairs import resnet, tagger, transformer, vgg

from parity.cli import main
from parity.pairing.correspondence import correspond
from weights_convert import DEFAULT
from weights_convert.outline import outline

pytestmark = pytest.mark.xdist_group("lone")  # of what its fixtures build

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "tests" / "shared"
ONLY = ["--only", "LIN", "--only", "spectral_*"]


def without(framework, *arguments, program="blocked.py"):
    """A process in which that framework cannot be imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(SHARED)])}
    return subprocess.run([sys.executable, str(SHARED / program), framework, *map(str, arguments)], capture_output=True, text=True,
                          env=environment, check=False)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lone") / "there"
    done = without("paddle", "record", "--side", "reference", *ONLY, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory, there):
    folder = tmp_path_factory.mktemp("lone") / "here"
    done = without("torch", "record", "--side", "twin", "--from", there, *ONLY, folder)
    assert done.returncode == 0, done.stderr
    return folder


def values(folder):
    """program -> (keys, floors, hashes) of a trace."""
    return {path.name: [json.loads(path.read_text())[part] for part in ("keys", "floors", "values", "runs")]
            for path in sorted(folder.glob("program-*.json"))}


def test_each_side_alone_is_what_it_is_beside_the_other(there, here, tmp_path, capsys):
    assert main(["diff", str(there), str(here)]) == 0
    assert "none diverged" in capsys.readouterr().out
    assert main(["record", "--side", "reference", *ONLY, str(tmp_path / "there")]) == 0
    assert main(["record", "--side", "twin", "--from", str(there), *ONLY, str(tmp_path / "here")]) == 0
    assert values(there) == values(tmp_path / "there") and values(here) == values(tmp_path / "here")


def test_a_twin_of_another_paddle_from_a_twins_trace(here, tmp_path):
    done = without("torch", "record", "--side", "twin", "--from", here, *ONLY, tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert main(["diff", str(here), str(tmp_path / "again")]) == 0


def test_float32_replays_the_reference_out_of_its_trace(tmp_path):
    few = ["--only", "LIN", "--no-train", "--lane", "float32"]
    assert without("paddle", "record", "--side", "reference", *few, tmp_path / "there").returncode == 0
    done = without("torch", "record", "--side", "twin", "--from", tmp_path / "there", *few, tmp_path / "here")
    assert done.returncode == 0, done.stderr
    assert main(["diff", str(tmp_path / "there"), str(tmp_path / "here")]) == 0


def test_weights_and_inputs_are_the_traces_whatever_the_seed(there, tmp_path):
    done = without("torch", "record", "--side", "twin", "--from", there, "--only", "LIN", "--seed", "5", tmp_path / "seeded")
    assert done.returncode == 0, done.stderr
    alone = without("paddle", "record", "--side", "reference", "--only", "LIN", tmp_path / "there")
    assert alone.returncode == 0 and main(["diff", str(tmp_path / "there"), str(tmp_path / "seeded")]) == 0


@pytest.mark.parametrize(("framework", "arguments", "said"), [
    ("torch", ["--side", "twin"], "cannot be imported"),
    ("torch", ["--side", "reference"], "torch cannot be imported here"),
    ("paddle", ["--side", "twin"], "paddle cannot be imported here"),
])
def test_what_cannot_be_recorded_is_said(tmp_path, framework, arguments, said):
    done = without(framework, "record", *arguments, "--only", "AdaLIN", "--no-train", tmp_path / "out")
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("change", [
    lambda document: document.pop("outline"),
    lambda document: document["outline"].pop("type"),
    lambda document: document["outline"].update(modules={}, parameters={}, buffers={}),
    lambda document: document.update(outline=3),
])
def test_an_outline_that_does_not_fit_is_said(there, tmp_path, change):
    damaged = shutil.copytree(there, tmp_path / "damaged")
    for path in damaged.glob("program-*.json"):
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))
    done = without("torch", "record", "--side", "twin", "--from", damaged, *ONLY, tmp_path / "out")
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert any(word in done.stderr for word in ("record again", "--from", "cannot take the reference's weights"))


PAIRED = """
import json, sys
from blocked import Blocked
sys.meta_path.insert(0, Blocked("torch"))
import importlib
from parity.pairing.correspondence import correspond
from weights_convert import DEFAULT
from weights_convert.outline import standing_in
for line in sys.stdin:
    module, name, document, names = json.loads(line)
    twin = importlib.import_module(module)
    for part in name.split("."):
        twin = getattr(twin, part)
    found = correspond(standing_in(document), twin(**({"num_classes": 5} if "vision" in module else {})), DEFAULT, names)
    entries = {key: [entry.source, entry.target, entry.rule, entry.rows] for key, entry in found.plan.entries.items()}
    print(json.dumps([entries, dict(found.modules), [str(problem) for problem in found.problems]]))
"""


def test_pairs_are_paired_by_their_outline_as_by_themselves(tmp_path):
    cases = [(pair, pair._build(0, 0), pair._build(1, 0)) for pair in (tagger.pair, transformer.pair, resnet.pair, vgg.pair)]
    kept = [case for case in cases if type(case[2]).__module__.startswith("pairs.")]
    assert len(kept) >= 2
    script = tmp_path / "paired.py"
    script.write_text(PAIRED)
    lines = "\n".join(json.dumps([type(twin).__module__, type(twin).__name__, outline(reference), pair.names])
                      for pair, reference, twin in kept)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(SHARED)])}
    done = subprocess.run([sys.executable, str(script)], input=lines, capture_output=True, text=True, env=environment, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for (pair, reference, twin), (entries, modules, problems) in zip(kept, answers, strict=True):
        found = correspond(reference, twin, DEFAULT, pair.names)
        expected = {key: [entry.source, entry.target, entry.rule, list(entry.rows) if entry.rows else None]
                    for key, entry in found.plan.entries.items()}
        assert entries == expected and modules == dict(found.modules) and not problems


def test_a_declared_pair_is_recorded_and_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert main(["record", "--side", "reference", "--pair", "my_pair.py", "there"]) == 0
    assert main(["record", "--side", "twin", "--pair", "my_pair.py", "--from", "there", "here"]) == 0
    assert main(["diff", "there", "here"]) == 0
    assert main(["record", "--side", "twin", "--pair", "my_pair.py", "--size", "32", "again"]) == 2
    port = tmp_path / "my_paddle.py"
    port.write_text(port.read_text().replace("paddle.tanh(", "F.sigmoid("))
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]
    assert main(["record", "--side", "twin", "--pair", "my_pair.py", "--from", "there", "faulty"]) == 0
    assert main(["diff", "there", "faulty"]) == 1
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]

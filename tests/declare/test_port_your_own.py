"""What a newcomer does: the commands and the code of docs/port-your-own-model.md are run as they stand there."""

import gc
import json
import re
import shlex
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
from pairs import attention, vgg

from parity.cli import main
from parity.compare.ladder import compare, glance
from parity.compare.runner import compare_placing
from parity.declare import example as start
from parity.declare import inputs
from parity.declare.port import Port, load
from parity.files import InputError

DOC = Path(__file__).parents[2] / "docs" / "port-your-own-model.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOC.read_text(), re.DOTALL)
pytest_plugins = ["pytester"]


@pytest.fixture
def first(tmp_path, monkeypatch):
    """A folder as `parity init` leaves it; its modules forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    assert main(["init", "first"]) == 0
    monkeypatch.chdir(tmp_path / "first")
    yield tmp_path / "first"
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("my_", "test_my")):
            del sys.modules[name]


def test_the_commands_of_the_page(first):
    lines = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("parity")]
    commands = [command for command in commands if command[0] != "fix"]  # tests/mending
    assert [command[0] for command in commands] == ["init", "compare", "steps", "compare"]
    for command in commands[1:]:
        assert main([*command, "--lane", "float64", *(["--steps", "2"] if command[0] == "steps" else [])]) == 0


def test_the_code_of_the_page(first, monkeypatch):
    monkeypatch.syspath_prepend(str(first))
    import my_paddle
    import my_torch
    names = {"my_torch": my_torch, "my_paddle": my_paddle}
    blocks = [block for kind, block in BLOCKS if kind == "python"]
    assert len(blocks) == 5
    for block in blocks:
        try:
            exec(compile(block, str(DOC), "exec"), names)
        except AssertionError:
            pytest.fail(str(names.get("trained", names["summary"])))
    assert isinstance(names["pair"], Port)
    assert names["summary"].merged.compared > 20
    assert names["trained"].followed[0].result.steps == 2 and names["trained"].merged.compared > 100


def test_a_pair_file_for_two_classes(first, capsys, monkeypatch):
    """Two files of one name, in folders of their own; the guessed name stands in the pair file, where it counts."""
    for folder, name in (("ours", "my_torch.py"), ("theirs", "my_paddle.py")):
        (first / folder).mkdir()
        (first / name).rename(first / folder / "model.py")
    (first / "my_pair.py").unlink()
    said = ["init", "ours/model.py:Net", "theirs/model.py:Net", "--input", "2,3,32,32", "--out", "pairs/port.py"]
    assert main(said) == 0
    assert "pairs/test_port.py" in capsys.readouterr().out
    text = (first / "pairs/port.py").read_text()
    assert "'hidden': 'fc'," in text and "names=names" in text and "inputs=[normal(2, 3, 32, 32)]" in text
    monkeypatch.chdir(first / "pairs")  # wherever it is called from
    assert main(["compare", "port.py", "--lane", "float64", "--no-train"]) == 0
    (first / "pairs/port.py").write_text(text.replace("'hidden': 'fc'", "'hidden': 'head'"))
    assert main(["compare", "port.py", "--lane", "float64", "--no-train"]) == 1
    monkeypatch.chdir(first)
    (first / "pairs/test_port.py").unlink()
    assert main(said) == 2 and "pairs/port.py: there already" in capsys.readouterr().err
    assert not (first / "pairs/test_port.py").exists()
    assert main([*said[:3], "--out", "other.py"]) == 2 and "--input SHAPE" in capsys.readouterr().err
    assert main(["init", "ours/model.py:Net"]) == 2


@pytest.mark.parametrize("text", ["2,3", "2,8@0..1", "int64:2,16@0..100", "int32:2@1..5", "bool:2,16"])
def test_an_input_as_a_pair_file_spells_it(text):
    _, recipe = inputs.parse(text)
    again = eval(recipe.call, vars(inputs))
    assert again.text == recipe.text and again.call == recipe.call
    assert np.array_equal(again.draw(np.random.default_rng(1)), recipe.draw(np.random.default_rng(1)))


def test_a_mistake_in_the_written_port_is_found(first, capsys):
    port = first / "my_paddle.py"
    port.write_text(port.read_text().replace("F.gelu(", "F.relu("))
    capsys.readouterr()
    assert main(["compare", "my_pair.py", "--lane", "float64", "--json", "-", "--no-train"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["first"]["twin"]["file"].endswith("my_paddle.py") and report["first"]["twin"]["line"] == 16


def test_init_overwrites_nothing(first):
    with pytest.raises(InputError, match=r"my_torch\.py"):
        start.begin(first)


def test_the_fixture_passes_and_fails_with_the_finding(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(DOC.parents[1]))
    for name, text in start.FILES.items():
        (pytester.path / name).write_text(text)
    installed = any(point.value == "parity.plugin" for point in entry_points(group="pytest11"))
    arguments = ("-p", "no:cacheprovider", "--parity-report=report", *(() if installed else ("-p", "parity.plugin")))
    assert pytester.runpytest_subprocess(*arguments).ret == 0
    pages = sorted(path.name for path in (pytester.path / "report").iterdir())
    assert [Path(page).suffix for page in pages] == [".html", ".json"] * 2
    port = pytester.path / "my_paddle.py"
    port.write_text(port.read_text().replace("paddle.tanh(", "F.sigmoid("))
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*diverged at stage forward: Net*", "*twin*my_paddle.py:18*"])


# --- bad input: exit code 2, and what to do --------------------------------------------------------------------------

@pytest.mark.parametrize(("arguments", "said"), [
    (["my_torch:Net", "my_paddle:Net"], "--input"),
    (["my_torch:Net", "my_paddle:Nit", "--input", "2,3,8,8"], "no 'Nit'"),
    (["my_torch:Net", "my_paddle:Net", "--input", "2x3"], "expected"),
    (["my_torch:Net", "my_paddle:Net", "--input", "int64:2,3"], "@LOW..HIGH"),
    (["my_paddle:Net", "my_torch:Net", "--input", "2,3,8,8"], "comes first"),
    (["my_torch:Net", "my_paddle:Net", "--input", "2,4,8,8"], "cannot run on these inputs"),
    (["my_torch.py"], "parity init"),
    (["nothing.py"], "there is none"),
    (["my_pair.py", "--map", "nowhere=fc"], "nowhere"),
])
def test_bad_input(first, capsys, arguments, said):
    assert main(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err


# --- pairing and inputs ----------------------------------------------------------------------------------------------

@pytest.mark.skipif(not hasattr(paddle.nn, "Module"), reason="what PaConvert writes calls Paddle by torch's names: after 3.0")
def test_what_paconvert_made_affine_is_one_line_of_the_census():
    from pairs import paconvert
    report = compare(paconvert.as_converted.subject("eval"), lanes=("float64",))
    census = [finding for finding in report.diverged if finding.key.stage == "census"]
    assert report.verdict == "diverged" and len(census) == 1
    assert "affine by default" in census[0].deviation.trouble and "7 more" in census[0].deviation.trouble


def test_guesses_and_ambiguity_are_said_and_a_name_settles_them():
    said = "\n".join(glance(vgg.pair.subject("eval")).remarks)
    assert "have other names" in said and "order of definition alone" in said
    said = "\n".join(glance(attention.pair.subject("eval")).remarks)
    assert "norm1 = ln_1" in said
    named = Port(attention.ViTBlock, attention.Block, inputs=attention.pair.inputs,
                 names={"norm1": "ln_1", "norm2": "ln_2", "patches": "patch_embed"})
    assert "order of definition" not in "\n".join(glance(named.subject("eval")).remarks)


def test_a_wrong_name_is_a_divergence():
    crossed = Port(attention.ViTBlock, attention.Block, inputs=attention.pair.inputs, names={"norm1": "ln_2", "norm2": "ln_1"})
    assert compare_placing(crossed.subject("eval"), lanes=("float64",)).verdict == "diverged"


def test_inputs_are_nested_and_named():
    nest = {"a": [inputs.normal(2), (inputs.integers(3, high=5), None)], "flag": True, "b": lambda rng: rng.random(2)}
    drawn = dict(inputs.draw(nest, 0))
    assert list(drawn) == inputs.places(nest) and drawn["['a'][1][0]"].dtype == np.int64
    filled = inputs.fill(nest, drawn)
    assert filled["flag"] is True and filled["a"][1][1] is None and filled["a"][0] is drawn["['a'][0]"]


def test_options_replace_those_of_a_declared_pair(first):
    port = load(["my_pair.py"], calls=3, seed=7)
    assert port.calls == 3 and port.subject("eval").seed == 7 and port.names == {"hidden": "fc"}


def test_four_comparisons_hold_no_more_than_one():
    def held():
        gc.collect()
        return sum(isinstance(thing, (torch.Tensor, paddle.Tensor, np.ndarray)) for thing in gc.get_objects())

    subject = attention.pair.subject("eval")
    compare(subject, lanes=("float64",))
    before = held()
    for _ in range(3):
        compare(subject, lanes=("float64",), operations=True)
    assert held() <= before

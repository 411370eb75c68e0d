"""Two environments: what one records, the other compares as `parity check` would, and believes nothing that is damaged."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from parity.cli import main
from parity.recordings import projections as sketch
from parity.recordings import record, traces
from parity.recordings.diff import NOT_LOOKED_AT, diff
from parity.recordings.format import read_json, write_json
from parity.ugatit import faults
from tests.recordings.tampering import TAMPERED

pytestmark = pytest.mark.xdist_group("record_diff")  # of what its fixtures build

ONLY = ["--only", "LIN", "--only", "CAM", "--no-train"]


def made(folder, side, *options):
    assert main(["record", "--side", side, *ONLY, *options, str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    return made(tmp_path_factory.mktemp("traces") / "there", "reference")


@pytest.fixture(scope="module")
def here(tmp_path_factory, there):
    return made(tmp_path_factory.mktemp("traces") / "here", "twin", "--from", str(there))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, there):
    with faults.inject("gmp_G"):
        return made(tmp_path_factory.mktemp("traces") / "faulty", "twin", "--from", str(there))


@pytest.fixture
def damaged(tmp_path, there):
    return shutil.copytree(there, tmp_path / "damaged")


def refused(capsys, one, other):
    capsys.readouterr()
    assert main(["diff", str(one), str(other)]) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err and captured.out == ""
    return captured.err


def edited(folder, name, change):
    """Changed, and sealed again by somebody who knows how."""
    document = read_json(folder / name)
    change(document)
    seal = write_json(folder / name, document)
    if name != "index.json":
        edited(folder, "index.json", lambda index: index["parts"].update({name: seal}))
    return folder


def test_the_healthy_twin_is_the_same(there, here, capsys, tmp_path):
    assert main(["diff", str(there), str(here), "--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]) == 0
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["verdict"] == "same" and document["counts"]["compared"] > 80 and document["first"] is None
    assert any(key.startswith("B: paddle") for key in document["versions"])
    assert not document["remarks"]
    assert "The same computation" in capsys.readouterr().out and "The same computation" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("keep", ["all", "layers", "summaries"])
def test_a_fault_is_placed_where_check_places_it(there, tmp_path, keep):
    from parity.compare import runner
    from parity.ugatit.cases import cases as chosen_of
    cases = chosen_of(modes=["eval"], only=["CAM"])
    with faults.inject("gmp_G"):
        in_one_process = next(iter(runner.run(cases, lanes=["float64"]))).report.first
        text = in_one_process.twin.text
        made(tmp_path / "there", "reference", "--only", "CAM", "--keep", keep)
        folder = made(tmp_path / "t", "twin", "--from", str(tmp_path / "there"), "--keep", keep)
    summary = diff(traces.Trace.open(tmp_path / "there"), traces.Trace.open(folder))
    first = summary.headline[1]
    assert summary.verdict == "diverged" and first.key.stage == "forward"
    if keep == "all":
        assert first.key == in_one_process.key and first.twin.line == in_one_process.twin.line
        assert first.twin.text == text != in_one_process.twin.text  # of that day, whatever stands there now
    else:
        assert not first.key.is_local and first.key.module.startswith("CAM")


def test_that_known_differences_were_not_looked_at_is_said_of_a_divergence_of_the_two(there, here, faulty):
    remarks = [diff(traces.Trace.open(one), traces.Trace.open(faulty)).merged.remarks for one in (there, here)]
    assert remarks == [[NOT_LOOKED_AT], []]


def test_a_fault_is_1_and_a_stored_baseline_finds_it(here, faulty, capsys):
    assert main(["diff", str(here), str(faulty)]) == 1  # Paddle against Paddle: the good day against today
    assert "variable 'gmp'" in capsys.readouterr().out
    assert main(["diff", str(here), str(here)]) == 0


@pytest.mark.parametrize("keep", ["layers", "summaries"])
def test_less_is_kept_and_said(there, tmp_path, keep):
    folder = made(tmp_path / "less", "twin", "--from", str(there), "--keep", keep)
    summary = diff(traces.Trace.open(there), traces.Trace.open(folder))
    assert summary.verdict == {"layers": "same", "summaries": "same up to summary"}[keep]
    assert summary.merged.compared > 20
    assert all(not finding.key.is_local for finding in summary.merged.findings)


def test_float32_is_judged_against_the_truth(tmp_path):
    truth = made(tmp_path / "truth", "reference", "--lane", "float32")
    twin = made(tmp_path / "twin", "twin", "--lane", "float32", "--from", str(truth))
    summary = diff(traces.Trace.open(truth), traces.Trace.open(twin))
    assert summary.verdict == "same"
    stages = summary.merged.multiples
    assert "forward" in stages["float32 free"] and "gradients" in stages["float32 replay"]
    with faults.inject("gmp_G"):
        bad = made(tmp_path / "bad", "twin", "--lane", "float32", "--from", str(truth))
    assert diff(traces.Trace.open(truth), traces.Trace.open(bad)).headline[1].variable == "gmp"


def test_a_twin_that_raises_is_a_finding(there, tmp_path, monkeypatch):
    import paddle_impl.attention
    monkeypatch.setattr(paddle_impl.attention, "F", None)
    folder = made(tmp_path / "raises", "twin", "--from", str(there))
    first = diff(traces.Trace.open(there), traces.Trace.open(folder)).headline[1]
    assert "the twin raised AttributeError" in first.deviation.trouble and first.twin.file.endswith("paddle_impl/attention.py")


def test_an_interrupted_recording_is_compared_up_to_there(there, here, tmp_path, capsys, monkeypatch):
    kept, calls = record._program, []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return kept(*arguments)

    monkeypatch.setattr(record, "_program", stop)
    assert main(["record", "--side", "twin", *ONLY, "--from", str(there), str(tmp_path / "half")]) == 130
    assert not list((tmp_path / "half").glob(".*"))
    capsys.readouterr()
    assert main(["diff", str(there), str(tmp_path / "half")]) == 2
    assert "interrupted after 1 of 2 programs" in capsys.readouterr().out
    monkeypatch.undo()
    edited(shutil.copytree(here, tmp_path / "none"), "index.json", lambda index: index.update(programs=0, parts={}))
    assert "interrupted after 0 of 2" in refused(capsys, there, tmp_path / "none")


def test_other_inputs_or_lanes_or_programs_are_2(there, tmp_path, capsys):
    assert "expected the same weights" in refused(capsys, there, made(tmp_path / "seed", "twin", "--seed", "1"))
    assert "of one lane" in refused(capsys, there, made(tmp_path / "lane", "twin", "--lane", "float32"))
    other = tmp_path / "other"
    assert main(["record", "--side", "reference", "--only", "LIN", "--no-train", str(other)]) == 0
    assert "found in one only: CAM (eval)" in refused(capsys, there, other)
    assert main(["record", "--side", "twin", "--only", "AdaLIN", "--no-train", "--from", str(there), str(tmp_path / "x")]) == 2
    assert "expected a recording of AdaLIN (eval)" in capsys.readouterr().err


def test_no_trace_a_newer_one_and_a_full_disk(there, damaged, tmp_path, capsys, monkeypatch):
    assert "found no index.json" in refused(capsys, there, tmp_path / "nothing")
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "index.json").write_text('{"steps": 3}')
    assert "parity steps --against" in refused(capsys, there, tmp_path / "steps")
    assert "found another index.json" in refused(capsys, there, edited(damaged, "index.json", lambda index: index.update(kind=[])))
    edited(damaged, "index.json", lambda index: index.update(kind=traces.KIND))
    assert "newer parity" in refused(capsys, there, edited(damaged, "index.json", lambda index: index.update(format=99)))
    monkeypatch.setattr(record.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    assert main(["record", "--side", "reference", *ONLY, str(tmp_path / "full")]) == 2
    assert "0 MiB free" in capsys.readouterr().err and not (tmp_path / "full").exists()


HOSTILE = {
    "path": lambda d: d.update(start="../../etc/passwd"),
    "floor of infinity": lambda d: d["floors"]["free"][0].__setitem__(1, float("inf")),
    "floor below zero": lambda d: d["floors"]["free"][0].__setitem__(1, -1.0),
    "key beyond": lambda d: d["runs"]["free"][0].__setitem__(0, 10**6),
    "value not there": lambda d: d["runs"]["free"][0].__setitem__(5, "../index"),
    "no list": lambda d: d.update(runs=3),
    "no keys": lambda d: d.pop("keys"),
    "wrong shape": lambda d: d["values"].update({place: [kind, [7]] for place, (kind, _) in d["values"].items()}),
    "another program": lambda d: d.update(title="AdaLIN"),
    "kind of text": lambda d: d["values"].update(dict.fromkeys(d["values"], "x")),
    "another dtype": lambda d: d["values"].update({place: [{}, shape] for place, (_, shape) in d["values"].items()}),
    "no seed": lambda d: d.pop("seed"),
    "calls of text": lambda d: d.update(calls="many"),
    "kinds of numbers": lambda d: d.update(kinds=dict.fromkeys(d["kinds"], 3)),
    "no failure": lambda d: d.update(failure=3),
    "no free run": lambda d: d["runs"].pop("free"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_index_is_2(name, there, damaged, capsys):
    message = refused(capsys, there, edited(damaged, "program-0001.json", HOSTILE[name]))
    assert "record again" in message


@pytest.mark.parametrize("name", ["index.json", "program-0001.json", "program-0001.safetensors", "start-*.safetensors"])
@pytest.mark.parametrize("kind", TAMPERED)
def test_what_is_damaged_is_2(kind, name, there, damaged, capsys):
    TAMPERED[kind](next(damaged.glob(name)))
    assert "record again" in (message := refused(capsys, there, damaged)) or "expected a recording" in message


def test_a_changed_floor_is_2(there, damaged, capsys):
    path = damaged / "program-0001.json"
    document = json.loads(path.read_text())
    document["floors"]["free"][0][1] = 1e300
    path.write_text(json.dumps(document))
    assert "its hash is another" in refused(capsys, damaged, there)


def test_names_are_shown_and_not_obeyed(there, here, tmp_path, capsys):
    """[/b] is no markup of ours, and an escape sequence no order to the terminal."""
    folders, odd = [], "[/b]\x1b[2J\x9b"
    for folder in (there, here):
        folders.append(shutil.copytree(folder, tmp_path / folder.name))
        edited(folders[-1], "index.json", lambda index: index["planned"][0].__setitem__(0, odd))
        edited(folders[-1], "program-0001.json", lambda document: document.update(title=odd))
    capsys.readouterr()
    assert main(["diff", *map(str, folders)]) == 0
    shown = capsys.readouterr()
    assert "[/b]" in shown.out and not {"\x1b", "\x9b"} & set(shown.out + shown.err)
    edited(folders[1], "program-0001.json", lambda document: [site.__setitem__(2, odd) for site in document["sites"]])
    edited(folders[1], "program-0001.json", lambda document: document.update(failure=["[/b]Error", odd, 1]))
    assert main(["diff", *map(str, folders)]) == 1
    shown = capsys.readouterr()
    assert "[/b]Error" in shown.out and not {"\x1b", "\x9b"} & set(shown.out + shown.err)


def test_damaged_values_are_2(there, damaged, capsys, tmp_path):
    path = damaged / "program-0001.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    assert "damaged" in refused(capsys, there, damaged)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "not what was recorded" in refused(capsys, there, damaged)
    path.unlink()
    path.symlink_to(there / "program-0001.safetensors")
    assert "found a link" in refused(capsys, there, damaged)


def test_values_are_stored_once(there):
    index = json.loads((there / "program-0001.json").read_text())
    places = [entry[5] for entry in index["runs"]["free"] if entry[5]]
    assert len(set(places)) == len(index["values"]) < len(places)


@pytest.mark.parametrize(("keep", "lane"), [
    ("all", "float64"), ("layers", "float32"), ("summaries", "float64"),
    *(pytest.param(*case, marks=pytest.mark.slow)
      for case in (("all", "float32"), ("layers", "float64"), ("summaries", "float32")))])
def test_the_estimate_holds(tmp_path, keep, lane):
    from parity.ugatit.cases import cases
    chosen = cases(modes=["eval"], only=["genA2B light"], size=64)
    for side in ("reference", "twin"):
        needed, _ = record.estimate(chosen, side, lane, keep)
        written = record.record(tmp_path / side, chosen, side=side, lane=lane, keep=keep)
        assert 0.9 * written < needed < 2 * written


def test_diff_needs_neither_framework(there, here):
    code = ("import sys; sys.modules['torch'] = sys.modules['paddle'] = None; from parity.cli import main; "
            f"sys.exit(main(['diff', {str(there)!r}, {str(here)!r}]))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_sketch_is_a_lower_bound():
    rng = np.random.default_rng(0)
    for size in (1, 40, 100_000):
        one = rng.standard_normal(size)
        for step in (1e-12, 1.0):
            other = one + step * rng.uniform(-1, 1, size)
            found = sketch.apart(sketch.sketch(one), sketch.sketch(other), one.shape)
            assert 0 < found.distance <= np.abs(one - other).max() * (1 + 1e-3)
    other = one.copy()
    other[5] = np.nan
    assert np.isinf(sketch.apart(sketch.sketch(one), sketch.sketch(other), one.shape).distance)


@pytest.mark.parametrize("variable", ["PARITY_PADDLE_30", "PARITY_PADDLE_26"])
def test_another_paddle(variable, tmp_path):
    """PARITY_PADDLE_30, PARITY_PADDLE_26: interpreters of environments with Paddle 3.0.0 and 2.6.2."""
    interpreter = os.environ.get(variable)
    if not interpreter:
        pytest.skip(f"{variable} names no interpreter")
    options = ["--only", "AdaLIN", "--only", "CAM", "--no-train"]
    assert main(["record", "--side", "reference", *options, str(tmp_path / "torch")]) == 0
    assert main(["record", "--side", "twin", *options, "--from", str(tmp_path / "torch"), str(tmp_path / "now")]) == 0
    done = subprocess.run([interpreter, "-m", "parity", "record", "--side", "twin", *options, "--from", str(tmp_path / "torch"),
                           str(tmp_path / "old")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert main(["diff", str(tmp_path / "now"), str(tmp_path / "old")]) == 0
    assert main(["diff", str(tmp_path / "torch"), str(tmp_path / "old")]) == 0


STOCK = """
import sys, paddle, paddle_impl.discriminator
class LeakyReLU(paddle.nn.LeakyReLU):
    pass
paddle_impl.discriminator.LeakyReLU = LeakyReLU
from parity.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_difference_of_two_paddles_is_placed(tmp_path):
    """Paddle 2.6.2 rounds leaky_relu's slope to float32, in float64 too; 3.3.1 does not. (The twin composes its own.)"""
    interpreter = os.environ.get("PARITY_PADDLE_26")
    if not interpreter:
        pytest.skip("PARITY_PADDLE_26 names no interpreter")
    options = ["--only", "disLA*", "--no-train", "--size", "32"]
    assert main(["record", "--side", "reference", *options, str(tmp_path / "torch")]) == 0
    for name, python in (("now", sys.executable), ("old", interpreter)):
        done = subprocess.run([python, "-c", STOCK, "record", "--side", "twin", *options, "--from", str(tmp_path / "torch"),
                               str(tmp_path / name)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert main(["diff", str(tmp_path / "torch"), str(tmp_path / "now")]) == 0
    first = diff(traces.Trace.open(tmp_path / "now"), traces.Trace.open(tmp_path / "old")).headline[1]
    assert (first.key.module, first.variable, first.twin.text) == ("disLA.model.2", "output", "LeakyReLU(0.2)]")
    assert abs(first.deviation.distance - (np.float64(np.float32(0.2)) - 0.2) * 1.4962) < 1e-11

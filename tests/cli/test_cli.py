"""The command line: exit codes, messages, files. Everything goes through `main(argv)`, as a script's user calls it."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import click
import numpy as np
import pytest
import torch
from PIL import Image

import paddle_impl.attention
import torch_ref
from parity.cli import main
from parity.cli.main import SECTIONS, cli
from parity.ugatit import subjects as ugatit
from weights_convert import write_torch

SIZES = ugatit.Sizes(ngf=2, n_blocks=1, img_size=96, ndf=2)
QUICK = ["--only", "InstanceNorm2d", "--no-train"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "small.pt"
    write_torch(path, {name: ugatit.seeded_state(SIZES.network(torch_ref, name), name, 0) for name in ugatit.NETWORKS})
    return path


@pytest.fixture
def pictures(tmp_path):
    """Portrait and landscape, grey and with alpha: what folders hold."""
    rng = np.random.default_rng(0)
    for domain, mode, shape in (("A", "RGBA", (50, 70, 4)), ("B", "L", (70, 50))):
        folder = tmp_path / "pictures" / f"test{domain}"
        folder.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8), mode).save(folder / "one.png")
    return tmp_path / "pictures"


@pytest.fixture
def broken_cam(monkeypatch):
    """Average for maximum pooling in the twin's CAM."""
    class Averaging:
        adaptive_max_pool2d = staticmethod(paddle_impl.attention.F.adaptive_avg_pool2d)

    monkeypatch.setattr(paddle_impl.attention, "F", Averaging)


def refused(capsys, *argv) -> str:
    """The one line that a run with bad input leaves."""
    assert main([str(arg) for arg in argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_a_healthy_twin_is_0(capsys):
    assert main(["check", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "InstanceNorm2d" in out and "The same computation: 1 run," in out


def test_a_broken_twin_is_1_and_placed_at_its_line(capsys, broken_cam, tmp_path):
    path = tmp_path / "report.json"
    assert main(["check", "--only", "CAM", "--no-train", "--json", str(path)]) == 1
    first = json.loads(path.read_text())["first"]
    assert (first["stage"], first["module"], first["variable"]) == ("forward", "CAM", "gmp")
    assert first["twin"]["file"].endswith("paddle_impl/attention.py")
    out = capsys.readouterr().out
    assert "F.adaptive_max_pool2d(x, 1)" in out and "noise floors" in out and "Diverged. First in CAM (eval)" in out


def test_json_on_standard_output_is_alone_there(capsys):
    assert main(["check", *QUICK, "--lane", "float64", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "same"
    assert "The same computation" in captured.err


def test_html_is_written(tmp_path):
    path = tmp_path / "report.html"
    assert main(["check", *QUICK, "--html", str(path)]) == 0
    assert "The same computation" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_and_pictures_are_compared(capsys, checkpoint, pictures):
    assert main(["check", "--checkpoint", str(checkpoint), "--images", str(pictures), "--size", "96", "--no-modules", "--no-train",
                 "--only", "genB2A", "--only", "disLA"]) == 0
    out = capsys.readouterr().out
    assert "genB2A" in out and "disLA" in out and "genA2B" not in out


def test_convert_there_and_back(capsys, checkpoint, tmp_path):
    assert main(["convert", str(checkpoint), str(tmp_path / "paddle")]) == 0
    assert "compared bit for bit" in capsys.readouterr().out
    assert (tmp_path / "paddle" / "genA2B.pdparams").exists() and (tmp_path / "paddle" / "receipt.json").exists()
    assert main(["convert", "--to", "torch", str(tmp_path / "paddle"), str(tmp_path / "back.pt")]) == 0
    ours, theirs = torch.load(tmp_path / "back.pt", weights_only=True), torch.load(checkpoint, weights_only=True)
    for network, state in theirs.items():
        assert all(torch.equal(ours[network][name], tensor) for name, tensor in state.items())


def test_demo_makes_all_that_it_shows(capsys, checkpoint, pictures, tmp_path, monkeypatch):
    from parity.ugatit import cases
    monkeypatch.setattr(cases, "cases", functools.partial(cases.cases, only=("CAM", "genA2B")))
    out = tmp_path / "out"
    assert main(["demo", "--checkpoint", str(checkpoint), "--images", str(pictures), "--size", "96", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "receipt" in text and "largest difference of a pixel" in text and "The same computation" in text
    with Image.open(out / "pictures.png") as image:
        assert image.format == "PNG"
    assert "data:image/png" in (out / "report.html").read_text()
    assert json.loads((out / "report.json").read_text())["verdict"] == "same"
    assert (out / "paddle" / "receipt.json").exists()


def test_help_is_instant_and_has_an_example():
    code = ("import sys; from parity.cli import main; code = main(['--help']); "
            "sys.exit(code or any(name in sys.modules for name in ('torch', 'paddle', 'numpy', 'rich')))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"parity {begin}" in done.stdout for begin in ("init", "convert", "doctor"))


def test_every_command_stands_in_one_section_of_the_help():
    listed = [name for commands in SECTIONS.values() for name in commands]
    assert sorted(listed) == sorted(cli.list_commands(click.Context(cli)))


@pytest.mark.parametrize("command", ["check", "convert", "demo"])
def test_every_command_has_an_example(capsys, command):
    assert main([command, "--help"]) == 0
    assert f"\n    parity {command}" in capsys.readouterr().out


def test_usage_errors_are_2(capsys):
    assert "No such option" in refused(capsys, "check", "--chekpoint", "x.pt")
    assert "No such command" in refused(capsys, "chek")
    assert "float16" in refused(capsys, "check", "--lane", "float16")
    assert "nothing to compare" in refused(capsys, "check", "--no-eval", "--no-train")
    assert "multiple of 4" in refused(capsys, "check", "--size", "97")


def test_an_unknown_program_lists_those_there_are(capsys):
    error = refused(capsys, "check", "--only", "AdaNIL")
    assert "AdaNIL" in error and "AdaLIN" in error and "genA2B light" in error


def test_pictures_too_small_for_the_networks_are_2(capsys):
    assert "disGA 7 layers" in refused(capsys, "check", "--only", "disGA*", "--no-train", "--size", "16")


@pytest.mark.parametrize("command", [["check"], ["convert"], ["demo"]])
@pytest.mark.parametrize("kind", ["missing", "empty", "foreign", "garbage", "folder"])
def test_bad_checkpoints_are_2_and_leave_nothing(capsys, tmp_path, command, kind):
    path, out = tmp_path / "given.pt", tmp_path / "out"
    if kind == "folder":
        path.mkdir()
    elif kind == "foreign":
        torch.save({"conv.weight": torch.zeros(2, 2)}, path)
    elif kind != "missing":
        path.write_bytes(b"" if kind == "empty" else b"not a checkpoint at all" * 9)
    argv = {"check": ["--checkpoint", path], "convert": [path, out], "demo": ["--checkpoint", path, "--out", out]}[command[0]]
    assert str(path) in refused(capsys, *command, *argv)
    assert not out.exists() or not list(out.iterdir())


def test_bad_pictures_are_2(capsys, tmp_path):
    assert "found nothing" in refused(capsys, "check", "--images", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "found none" in refused(capsys, "check", "--images", tmp_path / "empty")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "one.jpg").write_bytes(b"\xff\xd8 no picture")
    error = refused(capsys, "check", "--images", tmp_path / "bad")
    assert "one.jpg" in error and "remove or replace" in error


def test_outputs_that_cannot_be_written_are_2_before_any_work(capsys, tmp_path):
    assert "no folder" in refused(capsys, "check", *QUICK, "--json", tmp_path / "none" / "report.json")
    assert "found a folder" in refused(capsys, "check", *QUICK, "--html", tmp_path)
    (tmp_path / "file").write_text("x")
    assert "cannot make it" in refused(capsys, "demo", "--out", tmp_path / "file" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_compared_is_2(capsys, monkeypatch):
    from parity.compare.settling import Settling
    from parity.verdict.findings import Report
    monkeypatch.setattr(Settling, "report", lambda settling: Report("nothing"))
    assert "no value" in refused(capsys, "check", *QUICK)


def test_a_fault_of_ours_is_no_verdict(capsys, monkeypatch):
    from parity.compare.settling import Settling

    def fail(settling):
        raise KeyError("ours")

    monkeypatch.setattr(Settling, "report", fail)
    assert main(["check", *QUICK]) == 2
    assert "fault of parity itself" in capsys.readouterr().err

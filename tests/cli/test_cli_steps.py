"""`parity steps` and `parity faults`, through `main(argv)` as users call them; what is shown, on made-up runs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import reading
import torch
from PIL import Image
from rich.console import Console

import torch_ref
from parity.cli import main
from parity.files import InputError
from parity.numbers.arrays import Deviation, Verdict
from parity.steps import picture as steps_picture
from parity.steps import report as steps_report
from parity.steps import runner as steps
from parity.steps.figures import difference, leaves, rows
from parity.steps.result import Curve, StepsReport
from parity.steps.summary import Summary
from parity.trace.events import Key
from parity.trace.source import Site
from parity.ugatit import subjects as ugatit
from parity.ugatit import training
from parity.ugatit.cases import Checkpoint
from parity.verdict.findings import Finding, NothingCompared, Order, Report
from weights_convert import GeneratorSizes, infer_sizes, write_torch

TINY = ["--ngf", "2", "--ndf", "1", "--n-blocks", "1", "--steps", "1"]
FIXED = {"verdict", "counts", "first", "findings", "versions", "mode", "steps", "lanes"}


def refused(capsys, *argv) -> str:
    """What a run with bad input leaves on standard error."""
    assert main(["steps", *map(str, argv)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    return captured.err


@pytest.fixture
def no_work(monkeypatch):
    """Whatever is wrong must be said before the long work starts."""
    monkeypatch.setattr(steps, "run", lambda *args, **options: pytest.fail("the work has started"))


def made(lane: str = "float64", *findings: Finding, reference=(8.0, 7.5, 7.0), twin=None, envelope=None,
         mode: str = "free") -> steps.Followed:
    """A followed training as if it had run."""
    report = Report("training", list(findings))
    report.counts[Verdict.SAME] = 100
    for finding in findings:
        report.counts[finding.verdict] += 1
    eps = float(np.finfo(lane).eps)
    curve = Curve(list(reference), list(twin or reference), list(envelope or (10 * eps * 2 ** n for n in range(len(reference)))))
    result = StepsReport(report, mode, lane, len(reference), {"D_loss": curve, "D/cam": curve, "G_loss": curve})
    return steps.Followed(SimpleNamespace(phases=ugatit.PHASES), result, 1.5)


def found(stage: str = "gradients", step: int = 2, phase: str | None = "G", variable: str = "weight", lane: str = "float64",
          verdict: Verdict = Verdict.DIVERGED, **more) -> Finding:
    key = Key(stage, step, phase, "genA2B.conv", 0, "", 0, variable, 0)
    return Finding("training", lane, "free", key, verdict, Order(1), Deviation(2.5, (0, 1), 3.0, 0.5, 3.0), 1e-15,
                   reference=Site("torch_ref/training.py", 20), twin=Site("paddle_impl/training.py", 21), **more)


def shown(summary: Summary) -> str:
    out = io.StringIO()
    steps_report.show(Console(file=out, width=80), summary)
    return out.getvalue()


# Real runs


def test_a_healthy_twin_is_0_in_both_lanes_and_all_reports_are_written(capsys, tmp_path):
    paths = [tmp_path / name for name in ("steps.json", "steps.html", "steps.png")]
    assert main(["steps", *TINY, "--lane", "both", "--json", str(paths[0]), "--html", str(paths[1]), "--plot", str(paths[2])]) == 0
    document = json.loads(paths[0].read_text(), parse_constant=lambda name: pytest.fail(name))
    assert document.keys() >= FIXED
    assert (document["verdict"], document["mode"], document["first"]) == ("same", "free", None)
    assert set(document["counts"]) == {"compared", "same", "noise", "explained", "diverged", "uncompared", "undecided"}
    assert list(document["lanes"]) == ["float64", "float32"]
    for lane in document["lanes"].values():
        assert lane["verdict"] == "same" and lane["steps"] == 1 and lane["counts"]["compared"] > 1000
        assert {"D_loss", "G_loss", "G/A/cycle"} <= lane["losses"].keys()
        assert lane["losses"]["D_loss"].keys() == {"reference", "twin", "envelope"}
    with Image.open(paths[2]) as image:
        assert image.format == "PNG" and image.width > 1000 and image.height > 800
    page = paths[1].read_text()
    assert "The same training: 1 step, free run, float64 and float32 lanes" in reading.text(page) and "data:image/svg+xml" in page
    sentence, out = capsys.readouterr().out.split("\n", 1)
    assert sentence.startswith("The same training") and max(map(len, out.split("Losses are")[0].splitlines())) <= 80


def test_a_fault_is_1_and_placed_and_json_is_alone_on_standard_output(capsys):
    assert main(["steps", *TINY, "--fault", "gmp_G", "--json", "-"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    first = document["first"]
    assert (first["step"], first["phase"], first["stage"], first["variable"]) == (1, "D", "forward", "gmp")
    assert first["reference"]["file"].endswith("torch_ref/attention.py")
    assert document["faults"] == ["gmp_G"]
    assert "mean(x, axis=[2, 3])" in captured.err  # the faulty line itself
    assert "Diverged at step 1, D step, stage forward" in captured.err


def test_a_checkpoint_and_pictures_in_resync_mode(capsys, tmp_path):
    sizes = ugatit.Sizes(ngf=2, n_blocks=1, img_size=96, light=False, ndf=2)
    states = {name: ugatit.seeded_state(sizes.network(torch_ref, name), name, 0) for name in ugatit.NETWORKS}
    write_torch(tmp_path / "model.pt", states)
    rng = np.random.default_rng(0)
    for domain in "AB":
        (tmp_path / f"train{domain}").mkdir()
        Image.fromarray(rng.integers(0, 255, (50, 70, 3), dtype=np.uint8)).save(tmp_path / f"train{domain}" / "one.png")
    assert main(["steps", "--checkpoint", str(tmp_path / "model.pt"), "--images", str(tmp_path), "--steps", "1",
                 "--mode", "resync"]) == 0
    out = capsys.readouterr().out
    assert "resync run" in out and "grows" not in out


# What is refused, before the long work


def test_an_unknown_fault_is_2_with_its_near_matches(capsys, no_work):
    error = refused(capsys, "--fault", "gmp_g")
    assert "gmp_G" in error and "gmp_D" in error and "parity faults" in error
    assert "parity faults" in refused(capsys, "--fault", "zzzzzz")


@pytest.mark.parametrize("option", ["--json", "--html", "--plot"])
def test_outputs_that_cannot_be_written_are_2(capsys, no_work, tmp_path, option):
    assert "no folder" in refused(capsys, option, tmp_path / "none" / "file.png")
    (tmp_path / "folder.png").mkdir()
    assert "found a folder" in refused(capsys, option, tmp_path / "folder.png")


def test_usage_errors_are_2(capsys, no_work):
    assert "only --json" in refused(capsys, "--plot", "-")
    assert "PNG" in refused(capsys, "--plot", "steps.jpg")
    assert "multiple of 4" in refused(capsys, "--size", "97")
    assert "--ngf" in refused(capsys, "--checkpoint", "model.pt", "--ngf", "2")
    assert "model.pt" in refused(capsys, "--checkpoint", "model.pt")
    assert "--draws" in refused(capsys, "--draws", "1")  # fewer measure too little: a healthy twin would be called diverged
    assert "lockstep" in refused(capsys, "--mode", "lockstep")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_2(capsys):
    assert "sees no CUDA device; install" in refused(capsys, "--device", "gpu")


def test_bad_pictures_are_2(capsys, no_work, tmp_path):
    assert "found nothing" in refused(capsys, "--images", tmp_path / "none")
    assert "expected pictures" in refused(capsys, "--images", tmp_path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert "broken.png" in refused(capsys, "--images", tmp_path)


def test_pictures_too_small_for_the_networks_are_2(capsys):
    assert "the reference program itself cannot run" in refused(capsys, *TINY, "--size", "16")


def test_only_checkpoints_that_can_be_trained_are_taken():
    sizes = ugatit.Sizes(ngf=2, n_blocks=1, ndf=2)
    right = infer_sizes({name: sizes.network(torch_ref, name).state_dict() for name in ugatit.NETWORKS})
    assert training.sizes_of(Checkpoint(right, {}), 96) == ugatit.Sizes(2, 1, 96, True, 2, 3)
    with pytest.raises(InputError, match="genB2A"):
        training.sizes_of(Checkpoint({**right, "genB2A": GeneratorSizes(3, 3, 4, 1, None, True)}, {}), 96)


def test_nothing_compared_is_no_verdict(monkeypatch):
    monkeypatch.setattr(steps, "follow", lambda *args, lane, **options: StepsReport(Report("training"), "free", lane))
    monkeypatch.setattr(steps, "refusing", lambda *args: nullcontext())
    with pytest.raises(NothingCompared):
        list(steps.run(training.subject(ngf=2, ndf=1, n_blocks=1), lanes=["float64"]))


# What is shown


def test_the_terminal_tells_step_place_figures_growth_and_what_was_not_compared():
    summary = Summary([made("float64", found(), found("forward", 2, None, "x", verdict=Verdict.UNCOMPARED))], steps=3)
    text = shown(summary)
    for part in ("Diverged at step 2, G step, stage gradients: genA2B.conv, variable weight at paddle_impl/training.py:21",
                 "2.5e+15", "G gradients", "<- first", "The ladder of step 2", "1 values were not compared",
                 "grows by a factor of"):
        assert part in text


@pytest.mark.parametrize("ran", [True, False])
def test_a_page_shows_losses_where_there_are_any(ran):
    losses = (8.0, 7.5, 7.0) if ran else ()
    summary = Summary([made("float64", found("census", 0, None), reference=losses, twin=losses)], steps=3)
    page = steps_report.to_html(summary, {"en": b"SVG"})
    assert ["The losses" in page, "Step by step" in page, "data:image/svg+xml" in page] == 3 * [ran]


def test_what_the_census_finds_is_before_the_first_step():
    summary = Summary([made("float64", found("census", 0, None))], steps=3)
    assert "Diverged before the first step, stage census" in summary.sentence()
    rungs = {rung["title"]: rung for rung in summary.rungs()}
    assert rungs["census"]["first"] and rungs["D forward"]["status"] == "good"


def test_the_ladder_ends_where_the_twin_raised():
    rungs = {rung["title"]: rung["status"] for rung in
             Summary([made("float64", found("forward", 1, "G", "(exception)"))], steps=3).rungs()}
    assert (rungs["D update"], rungs["G forward"], rungs["G losses"], rungs["state"]) == ("good", "broken", "not run", "not run")


def test_an_injected_fault_that_does_not_act_is_said():
    assert "no_lr_decay: not to be seen in these steps" in shown(Summary([made()], steps=3, faults=["no_lr_decay"]))


def test_long_runs_are_shown_every_few_steps_with_the_one_that_matters():
    summary = Summary([made("float64", found(step=101), reference=[8.0] * 200)], steps=200)
    first_columns = [line.split()[0] for line in shown(summary).splitlines() if line[:4].strip().isdigit()]
    assert len(first_columns) < 30 and {"1", "101", "200"} <= set(first_columns)
    assert len(list(rows(summary.followed[0].result))) == 200


def test_figures_are_relative_and_equality_is_zero():
    curve = Curve([8.0, 8.0, 8.0], [8.0, 8.0 + 8e-13, 12.0], [8e-13] * 3)
    assert difference(curve) == pytest.approx([0, 1e-13, 0.5], rel=1e-3)
    assert leaves(curve, "float64") == 3
    assert leaves(Curve([8.0], [8.0], [0.0]), "float64") is None


@pytest.mark.parametrize("twin", [None, (8.0, 7.6, 12.0), (8.0, float("nan"), float("inf")), (float("nan"),) * 3])
def test_the_picture_can_show_any_losses(twin):
    findings = [found()] if twin else []
    summary = Summary([made("float64", *findings, twin=twin), made("float32", twin=twin, envelope=[0.0] * 3)], steps=3)
    with Image.open(io.BytesIO(steps_picture.draw(summary))) as image:
        assert image.format == "PNG" and image.width > 1000
    json.loads(steps_report.to_json(summary), parse_constant=lambda name: pytest.fail(name))


def test_html_is_one_page_and_escapes_what_it_shows():
    hostile = "<script>x</script>"
    summary = Summary([made("float64", found(variable=hostile, cause=hostile))], steps=3, faults=[hostile])
    page = steps_report.to_html(summary, {"en": b"SVG"})
    assert hostile not in page and page.count("&lt;script&gt;") >= 4
    assert "http" not in page and "The ladder of step 2" in page


# The other commands


def test_faults_are_listed(capsys):
    assert main(["faults", "--json", "-"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert all(set(fault) == {"name", "seen_in", "what", "stage", "fix"} for fault in listed)
    assert main(["faults"]) == 0
    out = capsys.readouterr().out
    assert all(fault["name"] in out for fault in listed) and f"{len(listed)} faults" in out


@pytest.mark.parametrize("command", ["steps", "faults", "train", "translate"])
def test_every_command_has_an_example(capsys, command):
    assert main([command, "--help"]) == 0
    assert f"\n    parity {command}" in capsys.readouterr().out


def test_the_trainers_commands_are_named_without_being_imported():
    code = ("import sys; from parity.cli import main; code = main(['--help']); "
            "sys.exit(code or any(name in sys.modules for name in ('torch', 'paddle', 'numpy', 'rich', 'trainer')))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "train " in done.stdout and "translate " in done.stdout


def test_the_trainers_bad_input_is_2(capsys, tmp_path):
    assert main(["train", "--framework", "torch", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "none" in capsys.readouterr().err


def test_the_reference_is_recorded_and_the_twin_compared_later(tmp_path, capsys):
    folder = str(tmp_path / "day")
    smallest = ["steps", "--ngf", "2", "--ndf", "1", "--n-blocks", "1"]
    assert main([*smallest, "--steps", "1", "--record", folder]) == 0
    assert main([*smallest, "--against", folder]) == 0
    assert main([*smallest, "--against", folder, "--fault", "wrong_loss_weight"]) == 1
    assert "G_loss_A" in capsys.readouterr().out
    assert main([*smallest, "--seed", "5", "--against", folder]) == 2
    assert "other weights" in capsys.readouterr().err
    assert main([*smallest, "--steps", "1", "--record", folder]) == 2
    assert "empty folder" in capsys.readouterr().err
    assert main([*smallest, "--against", str(tmp_path / "none")]) == 2
    assert main([*smallest, "--record", folder, "--against", folder]) == 2

"""What `parity explain` tells: JSON, terminal, page, exit codes; the answer is claimed only where the runs bear it out."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import browser
import pytest
import reading
from rich.console import Console

from parity.campaign import runs as campaign
from parity.campaign.runs import Done, key
from parity.cli import main
from parity.files import InputError
from parity.ugatit import explain
from parity.ugatit.explain import course, tasks
from parity.ugatit.explain.report import page, text
from parity.ugatit.explain.report.summary import Explanation
from parity.ugatit.explain.start import Start
from parity.ugatit.explain.tasks import Scope
from parity.ugatit.faults import CATALOGUE, PORT2020

pytestmark = pytest.mark.xdist_group("explain_report")  # of what its fixtures build

FIXED = {"stage", "step", "phase", "module", "variable", "reference", "twin", "worst", "floor_multiple", "cause"}
SCOPE = Scope(("gmp_G", "sn_grad"), ("mirrored_output",), ((), ("gmp_G",), ("gmp_G", "sn_grad")),
              Start(ngf=2, n_blocks=1, size=96, light=True, ndf=1), steps=1, long_steps=2)


@pytest.fixture(scope="module")
def made() -> Explanation:
    """A small explanation, really run."""
    plan = tasks.plan(SCOPE)
    assert len({key(task, tasks.do) for task in plan}) == len(plan)
    return Explanation(SCOPE, {key(task, tasks.do): Done(json.loads(json.dumps(tasks.do(task))), 1.0) for task in plan})


def shown(explanation: Explanation) -> str:
    out = io.StringIO()
    text.show(Console(file=out, width=80), explanation)
    return out.getvalue()


def with_cam(made: Explanation, **cam: float) -> Explanation:
    """The same explanation, with long runs that arrive at these CAM losses: reference, healthy, gmp_G, all."""
    changed = dict(made._results)
    labels = {"reference": tasks.long_run(SCOPE, "reference")} | {made.label(names): tasks.long_run(SCOPE, "twin", names)
                                                                  for names in SCOPE.long}
    for name, value in cam.items():
        held = changed[key(labels[name], tasks.do)]
        losses = {**held.result["losses"], "cam": [value] * SCOPE.long_steps}
        changed[key(labels[name], tasks.do)] = Done({**held.result, "losses": losses}, held.cpu_seconds)
    return Explanation(SCOPE, changed)


LEARNS = {"reference": 1.7, "healthy": 1.7}


def test_one_fault_is_named_where_it_alone_holds_the_loss_at_chance(made):
    explanation = with_cam(made, **LEARNS, gmp_G=2.76, all=2.76)
    assert explanation.culprit == "gmp_G"
    sentence = explanation.sentence()
    for part in ("(gmp_G)", "stays at 2.76", f"{course.CHANCE:.2f}", "reaches 1.70", "; 1 smaller fault made", "compute the same"):
        assert part in sentence


@pytest.mark.parametrize("cam", [{**LEARNS, "gmp_G": 1.8, "all": 2.76},
                                 {"reference": 2.7, "healthy": 2.7, "gmp_G": 2.76, "all": 2.76},
                                 {"reference": 1.7, "healthy": 2.76, "gmp_G": 2.76, "all": 2.76}])
def test_no_fault_is_named_where_the_runs_do_not_show_it(made, cam):
    explanation = with_cam(made, **cam)
    assert explanation.culprit is None and "gmp_G" not in explanation.sentence()


def test_what_is_left_is_said_with_its_number(made):
    assert made.left().startswith("With all 2 faults repaired, Paddle and PyTorch compute the same")
    assert f"{made.residual:.1g}" in made.left() and made.residual < 1e-12
    changed = dict(made._results)
    task = key(tasks.losses(SCOPE, ()), tasks.do)
    losses = {name: [value * (1 + 1e-9) for value in values] for name, values in changed[task].result["losses"].items()}
    changed[task] = Done({**changed[task].result, "losses": losses}, 0.0)
    assert "UNEXPLAINED" in Explanation(SCOPE, changed).left()


def test_json_is_strict_and_has_the_fixed_keys(made):
    document = json.loads(page.to_json(made), parse_constant=lambda name: pytest.fail(name))
    assert document.keys() >= {"verdict", "counts", "first", "findings", "versions"}
    assert document.keys() >= {"sentence", "faults", "pairs", "symptom", "iterators", "left"}
    assert document["verdict"] == "diverged" and document["counts"]["diverged"] > 100
    assert document["first"].keys() >= FIXED and document["first"]["variable"] == "gmp"
    assert document["first"]["reference"]["file"].endswith("torch_ref/attention.py")
    assert {finding["fault"] for finding in document["findings"]} == {"gmp_G", "sn_grad", "mirrored_output"}
    faults = {fault["name"]: fault for fault in document["faults"]}
    assert [fault["rank"] for fault in document["faults"]] == [1, 2, 3]
    assert faults["gmp_G"]["lines"][0]["reference"] == "gmp = F.adaptive_max_pool2d(x, 1)"
    assert "mean(x, axis=[2, 3])" in faults["gmp_G"]["lines"][0]["faulty"] and faults["gmp_G"]["network"] == "genA2B"
    assert "mean(" not in faults["gmp_G"]["lines"][0]["repaired"]
    assert faults["sn_grad"]["errors"]["disLA"]["output"]["floors"] < 1 < faults["sn_grad"]["errors"]["disLA"]["gradient"]["floors"]
    assert faults["mirrored_output"]["missing"] is None and faults["gmp_G"]["missing"] > 0.01
    assert len(document["symptom"]["losses"]["reference"]["cam"]) == SCOPE.long_steps


def test_the_terminal_has_the_answer_and_fits_into_80_columns(made):
    out = shown(made)
    assert made.sentence() in out and "guessing: 2.773" in out and "deep copies" in out
    table = out.split("largest effect first")[1].split("effect: largest")[0]
    assert max(map(len, table.splitlines())) <= 80 and "mirrored_output" in table


@browser.needs_browser
def test_the_page_in_a_browser(made, tmp_path):
    shown_page = page.to_html(made)
    found = browser.check(shown_page, tmp_path, {
        "What people saw", "Why", "How we know", "The ladder of the first training step", "The faults", "The lines",
        "The error, layer by layer", "The losses", "The iterator trap"})
    assert found["images"] == 3 + 2 * (1 + 2 * 4)
    assert reading.english_left(shown_page) == []
    effects = {part.name: part.effect.alone for part in made.parts}
    assert found["first"] == [sorted(effects, key=lambda name: -effects[name])]  # a click sorts, the largest first


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_writes_its_reports_and_returns_1(made, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(explain, "explain", lambda scope, folder, workers, progress: made)
    paths = [tmp_path / "explain.json", tmp_path / "explain.html"]
    assert main(["explain", "--json", str(paths[0]), "--html", str(paths[1])]) == 1
    assert made.sentence() in capsys.readouterr().out
    assert json.loads(paths[0].read_text())["verdict"] == "diverged" and made.sentence().split(":")[0] in paths[1].read_text()


@pytest.mark.parametrize("arguments", [["--fault", "gmp_g"], ["--json", "none/file.json"], ["--steps", "0"], ["--html", "-"]])
def test_bad_input_is_2_before_the_work_starts(monkeypatch, capsys, arguments):
    monkeypatch.setattr(campaign, "run", lambda *args, **options: pytest.fail("the work has started"))
    assert main(["explain", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err


def test_the_default_is_the_nine_and_thorough_the_catalogue():
    default = explain.scope(steps=10, long_steps=100)
    assert default == Scope(PORT2020, (), ((), ("gmp_G",)))
    thorough = explain.scope(thorough=True, steps=10, long_steps=100)
    assert set(thorough.every) == set(CATALOGUE) and len(thorough.long) == 11
    assert explain.scope(["rho"], steps=10, long_steps=100).long == ((), ("rho",))
    with pytest.raises(InputError, match="gmp_G"):
        explain.scope(["gmp_g"], steps=1, long_steps=1)
    assert replace(default, steps=1) != default

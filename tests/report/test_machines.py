"""What machines read of a verdict: SARIF, JUnit, annotations; and what a report says of its own making."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from xml.etree import ElementTree

import pytest
import torch

import parity
from parity.cli import main
from parity.doctor import Doctor
from parity.numbers.arrays import Verdict
from parity.report import machines, problems, tree
from parity.report.circumstances import Circumstances
from parity.report.document import to_json
from parity.report.page import to_html
from parity.report.summary import Summary
from parity.steps import report as steps_report
from parity.steps.summary import Summary as StepsSummary
from parity.trace.source import Site
from parity.verdict.findings import Report
from tests.cli.test_cli_steps import found, made
from tests.report.test_report import finding, result, shown

VERSIONS = {"paddle-parity": "0.1.0", "torch": "2.13.0"}
BROKEN = Summary([result(finding(run="replay")), result(finding(run="replay"), title="genA2B"), result(title="LIN")])
HEALTHY = Summary([result()])


def sarif(summary: Summary) -> dict:
    (run,) = json.loads(machines.to_sarif(problems.checked(summary), VERSIONS))["runs"]
    return run


def test_sarif_has_each_place_once_at_its_line():
    (found,) = sarif(BROKEN)["results"]
    (place,), (related,) = found["locations"], found["relatedLocations"]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "paddle_impl/attention.py"}, "region": {"startLine": 21}}
    assert related["physicalLocation"]["region"]["startLine"] == 20 and found["level"] == "error"
    rule = sarif(BROKEN)["tool"]["driver"]["rules"][found["ruleIndex"]]
    assert rule["id"] == found["ruleId"] == "diverged/forward" and "2.5 apart" in found["message"]["text"]
    assert sarif(HEALTHY)["results"] == [] and sarif(HEALTHY)["tool"]["driver"]["version"] == "0.1.0"


def test_a_path_outside_of_the_working_directory_is_an_address(tmp_path):
    problem = problems.Problem("id", "rule", problems.ERROR, "message", "story", Site(str(tmp_path / "a b.py"), 3))
    made = json.loads(machines.to_sarif([problems.Checked("net", 0.0, [problem])], VERSIONS))
    (place,) = made["runs"][0]["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == (tmp_path / "a b.py").as_uri()


def test_junit_fails_what_diverged_and_passes_the_rest():
    suite = ElementTree.fromstring(machines.to_junit(problems.checked(BROKEN), "parity")).find("testsuite")
    failed = {case.get("name"): case.find("failure") for case in suite}
    assert [name for name, failure in failed.items() if failure is not None] == ["CAM (eval)", "genA2B (eval)"]
    assert suite.get("failures") == "2" and suite.get("tests") == "3" and "2.5 apart" in failed["CAM (eval)"].text


def test_a_training_is_a_case_for_each_lane_and_its_first_place_alone():
    later = found(step=3)
    (program,) = steps_report.checked(StepsSummary([made("float64", found(), later)], steps=4))
    assert program.name == "training, float64" and [problem.site.line for problem in program.problems] == [21]
    (healthy,) = steps_report.checked(StepsSummary([made("float64")], steps=4))
    assert healthy.problems == []


def test_what_could_not_be_seen_passes_nowhere():
    local = finding(Verdict.UNDECIDED, variable="output")
    seen = Summary([result(replace(local, key=local.key._replace(function="")))])
    assert seen.verdict == "undecided" and [problem.level for problem in problems.distinct(problems.checked(seen))] == ["error"]


def test_annotations_are_a_line_each_whatever_is_in_them():
    odd = finding(run="replay", cause="50% off,\nfile=x.py::error::y")
    text = machines.annotations(problems.checked(Summary([result(odd)])), title="a,b:c")
    (line,) = text.splitlines()
    assert line.startswith("::error file=paddle_impl/attention.py,line=21,title=a%2Cb%3Ac%3A diverged/forward::")
    assert "50%25 off" in line and machines.annotations(problems.checked(HEALTHY)) == ""


def test_a_passing_report_says_what_it_is_a_certificate_of():
    summary = Summary([result()])
    summary.merged.modules["CAM"] = 7
    summary.circumstances = Circumstances("parity check --checkpoint model.pt", datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc),
                                          {"model.pt": "ab" * 32})
    text = shown(summary)
    for part in ("parity check --checkpoint model.pt", "2026-01-02 03:04 UTC", "model.pt: SHA-256", "ab" * 32, "python 3."):
        assert part in text and part in to_html(summary), part
    document = json.loads(to_json(summary))
    assert document["modules"] == {"CAM": 7} and document["command"] == "parity check --checkpoint model.pt"
    assert document["date"] == "2026-01-02T03:04:00+00:00" and document["files"] == {"model.pt": "ab" * 32}


def test_the_tree_is_open_where_something_goes_wrong_by_itself():
    whole = Report("net")
    inner, carried = finding(run="replay"), finding(run="free", variable="after")
    inner, carried = (replace(one, key=one.key._replace(module=module))
                      for one, module in ((inner, "net.blocks.1"), (carried, "net.head")))
    whole.modules.update({"net": 3, "net.blocks.0": 2, "net.blocks.1": 2, "net.head": 1})
    whole.farthest["net.blocks.1"], whole.findings = 400.0, [inner, carried, carried]
    (net,) = tree.roots(whole, [inner])
    (blocks, head), (first, second) = net.children, net.children[0].children
    assert (net.name, net.compared, net.verdict, net.open) == ("net", 3, "diverged", True)
    assert (blocks.compared, blocks.open, second.place, second.far) == (0, True, True, "400")
    assert (first.verdict, first.open) == ("same", False)
    assert (head.verdict, head.open, head.place, len(head.findings)) == ("diverged", False, False, 1)


def trained(held: int = 2) -> Doctor:
    """One step of a linear layer, watched; the optimizer holds so many of its two parameters."""
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(list(net.parameters())[:held], 1e-3)
    with parity.doctor(net, optimizer) as doctor:
        for batch in doctor.watch([torch.eye(4)]):
            optimizer.zero_grad()
            (net(batch) - 1).square().mean().backward()
            optimizer.step()
    return doctor


@pytest.mark.parametrize(("result", "said"), [
    (lambda: BROKEN, "Diverged. First in CAM"),
    (lambda: StepsSummary([made()], steps=3), "The same training: 3 steps"),
    (lambda: StepsSummary([made("float64", found())], steps=3), "Diverged at step 2"),
    (trained, "no finding in 1 iteration"),
    (lambda: trained(held=1), "parameters-unheld"),
    (lambda: trained().diagnose(), "no finding in 1 iteration"),
], ids=["compare", "steps", "broken steps", "doctor", "doctor's finding", "diagnosis"])
def test_a_notebook_shows_the_page_in_a_frame(result, said):
    framed = result()._repr_html_()
    assert framed.startswith("<iframe srcdoc=") and framed.count("<") == 2 and said in framed
    assert f"paddle-parity {parity.__version__}" in framed


def test_a_doctor_who_has_not_started_has_no_page():
    assert parity.doctor(torch.nn.Linear(1, 1))._repr_html_() is None


def test_the_sentence_comes_first_then_proof_then_table():
    text = shown(BROKEN)
    order = [text.index(part) for part in (str(BROKEN.sentence()), "First divergence:", "Independent places", "float64: largest")]
    assert order == sorted(order) and order[0] == 0


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_of_a_table_is_cut(width):
    import io

    from rich.console import Console

    from parity.report.terminal import show
    out = io.StringIO()
    show(Console(file=out, width=width), BROKEN)
    assert "…" not in out.getvalue() and "program mode verdict  values forward gradient  floors   error  (s)" in out.getvalue()


def test_a_command_writes_them_all(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["init"]) == 0
    port = tmp_path / "my_paddle.py"
    port.write_text(port.read_text().replace("F.gelu(", "F.relu("))
    capsys.readouterr()
    command = ["compare", "my_pair.py", "--no-train", "--lane", "float64", "-q", "--sarif", "s.json", "--junit", "j.xml",
               "--json", "r.json"]
    assert main(command) == 1
    said = capsys.readouterr()
    (sentence,), (annotation,) = said.out.splitlines(), said.err.splitlines()
    assert sentence.startswith("Diverged. First in Net (eval)") and annotation.startswith("::error file=my_paddle.py,line=16,")
    (found,) = json.loads((tmp_path / "s.json").read_text())["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my_paddle.py"
    assert len(ElementTree.parse(tmp_path / "j.xml").findall(".//failure")) == 1
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["command"] == "parity " + " ".join(command) and document["modules"]["Net.conv"] > 0
    assert main([*command, "--verbose"]) == 2

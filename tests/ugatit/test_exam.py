"""The exam's own marks: what is missed, misplaced or a false alarm is counted as such; the published page is of this catalogue."""

import dataclasses
import re
from pathlib import Path

import pytest

from parity.ugatit.faults import CATALOGUE, Answer, Fault
from parity.ugatit.faults.exam import misplacements, sit
from parity.ugatit.faults.score import Mark, mark_fault, mark_healthy, page, summary

ROOT = Path(__file__).parents[2]
STAGES = {"census", "data", "forward", "losses", "gradients", "update", "state"}


def test_a_fault_that_does_nothing_is_missed():
    grade, report = sit(Fault("nothing", "here", "nothing", "nothing", Answer("InstanceNorm2d", "forward", "InstanceNorm2d")))
    assert not grade.found and not grade.placed and report.verdict == "same"


def test_a_wrong_answer_is_misplaced():
    """A headline held against another fault's answer."""
    grade, _ = sit(CATALOGUE["iln_eps"])
    assert grade.placed and mark_fault(grade).outcome == "found and placed"
    wrong = misplacements(grade.headline, CATALOGUE["biased_variance"].answer)
    assert {word.partition(":")[0] for word in wrong} == {"module", "variable", "line"}
    assert mark_fault(dataclasses.replace(grade, misplaced=tuple(wrong))).outcome == "misplaced"
    assert mark_fault(dataclasses.replace(grade, found=False)).outcome == "missed"


@pytest.mark.parametrize(("field", "value"), [("stage", "losses"), ("step", 3), ("phase", "D"), ("module", "AdaLIN"),
                                              ("variable", "ln_var"), ("line", "no such line")])
def test_each_part_of_an_answer_counts(field, value):
    grade, _ = sit(CATALOGUE["iln_eps"])
    answer = dataclasses.replace(CATALOGUE["iln_eps"].answer, **{field: value})
    assert [word.partition(":")[0] for word in misplacements(grade.headline, answer)] == [field]


MARKS = [Mark("gmp_G", "found and placed", "forward", "a.py:1", 1e9), Mark("rho", "misplaced", "forward", reason="step: 1"),
         Mark("bgr", "missed", "data"), mark_healthy("LIN", "same"), mark_healthy("drawn", "diverged", 7)]


def test_the_sentence_counts_everything():
    assert summary(MARKS) == ("3 faults: 2 found, 1 of them at their place, 1 misplaced, 1 missed; "
                              "8 comparisons of healthy twins, 1 false alarms.")


def test_the_page_shows_what_went_wrong():
    shown = page(MARKS)
    assert "misplaced: step: 1" in shown and "| bgr | data | missed |" in shown and "| drawn | 7 | false alarm |" in shown
    assert shown.index("gmp_G") < shown.index("rho") < shown.index("bgr")  # the catalogue's order


def test_the_catalogue_has_faults_of_every_stage():
    assert {fault.answer.stage for fault in CATALOGUE.values()} == STAGES and len(CATALOGUE) >= 100


def test_the_published_exam_is_of_this_catalogue():
    shown = (ROOT / "docs" / "exam.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\w+) \| found and placed \|", shown, re.M)
    assert rows == [(name, fault.answer.stage) for name, fault in CATALOGUE.items()], "run `make exam`"
    said = re.search(r"^\d+ faults: .*$", shown, re.M).group()
    assert said.endswith("0 misplaced, 0 missed; 219 comparisons of healthy twins, 0 false alarms.")
    assert " ".join(said.split()) in " ".join((ROOT / "README.md").read_text().split())

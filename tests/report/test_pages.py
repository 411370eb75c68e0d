"""The pages of `parity check` and `parity steps` in a browser, wide and narrow. (`parity explain`: test_explain_report.py.)"""

from __future__ import annotations

import browser
import numpy as np

from parity.numbers.arrays import Verdict
from parity.report import page as check_report
from parity.report.summary import Summary as CheckSummary
from parity.steps import picture as steps_picture
from parity.steps import report as steps_report
from parity.steps.summary import Summary
from parity.ugatit import sheet
from parity.verdict.findings import Finding
from parity.verdict.sketch import sketch
from tests.cli.test_cli_steps import found, made
from tests.report.test_report import finding, result, translation

pytestmark = browser.needs_browser

LONG = "discriminator_step_" * 8  # a name that has to break somewhere


def uncompared(variable: str) -> Finding:
    return finding(Verdict.UNCOMPARED, variable=variable)


def test_the_check_page(tmp_path):
    ours = np.random.default_rng(0).standard_normal((2, 3, 20, 30))
    drawn = sketch(ours, np.abs(ours), (0, 1, 2, 3))
    diverged = [finding(cause="an average for a maximum", sketch=drawn), finding(run="replay", variable=LONG)]
    summary = CheckSummary([result(title="LIN"), result(*diverged, uncompared(LONG), title="genA2B light")])
    picture = sheet.draw([translation(0.3)])
    page = check_report.to_html(summary, picture=picture, caption=sheet.caption([translation(0.3)]))
    probe = browser.check(page, tmp_path, {"First divergence", "The ladder", "Pictures", "Programs", "Independent places",
                                           "All findings"})
    assert probe["images"] == 7 and probe["drawn"] == 2  # of the headline and of its place
    assert browser.probe(page, tmp_path, 390, typed=f"{LONG} replay".upper())["filtered"] == [3, 0, 1]


def test_the_healthy_check_page(tmp_path):
    browser.check(check_report.to_html(CheckSummary([result()])), tmp_path, {"The ladder", "Programs"})


def test_the_steps_page(tmp_path):
    steps = np.linspace(8, 7, 12).tolist()
    findings = (found(variable=LONG), found(verdict=Verdict.UNCOMPARED))
    summary = Summary([made("float64", *findings, reference=steps, twin=[1.01 * loss for loss in steps]),
                       made("float32", reference=steps)], steps=12, faults=("gmp_G",))
    page = steps_report.to_html(summary, steps_picture.drawings(summary))
    probe = browser.check(page, tmp_path, {"First divergence", "The losses", "All findings"})
    assert probe["images"] == 2  # one for each language


def test_the_browser_sees_what_is_wrong(tmp_path):
    """The mutant of all the others: a script that fails, a picture that is not there, a table that is too wide."""
    broken = ('<h2>One</h2><h2 style="display:none">Two</h2><img src="data:image/png;base64,AAAA"><a href="#nowhere">x</a>'
              '<div style="width: 2000px">wide</div><script>missing()</script>')
    probe = browser.probe(broken, tmp_path, 390)
    assert probe["missing"] == probe["unnamed"] == probe["dangling"] == probe["hidden"] == 1 and probe["width"] > 1900
    assert any("missing is not defined" in line for line in probe["console"])

"""The report: one sentence, strict JSON, a page that needs nothing else and that nobody can write into."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import reading
from rich.console import Console

from parity.compare.results import Case, Result
from parity.files import InputError, write
from parity.numbers.arrays import Deviation, Verdict
from parity.report.document import to_json
from parity.report.page import to_html
from parity.report.summary import Summary
from parity.report.terminal import show
from parity.report.words import short
from parity.trace.events import Key
from parity.trace.source import Site
from parity.ugatit import sheet
from parity.verdict.findings import Finding, NothingCompared, Order, Report

HOSTILE = "<script>alert('x')</script>"
FIXED = {"stage", "step", "phase", "module", "variable", "reference", "twin", "worst", "floor_multiple", "cause"}


def finding(verdict: Verdict = Verdict.DIVERGED, *, variable: str = "gmp", line: int = 20, order: int = 1,
            distance: float = 2.5, run: str = "free", **more) -> Finding:
    key = Key("forward", 0, None, "CAM", 0, "class_activation_map", 0, variable, 0)
    return Finding("CAM", "float64", run, key, verdict, Order(order), Deviation(distance, (0, 1), 3.0, 0.5, 3.0), 1e-15,
                   reference=Site("torch_ref/attention.py", line), twin=Site("paddle_impl/attention.py", line + 1), **more)


def result(*findings: Finding, title: str = "CAM") -> Result:
    made = Report(title)
    made.counts[Verdict.SAME] = 10
    for one in findings:
        made.findings.append(one)
        made.counts[one.verdict] += 1
    return Result(Case(title, "eval", SimpleNamespace(name=title, calls=1)), made, 0.5)


def shown(summary: Summary) -> str:
    out = io.StringIO()
    show(Console(file=out, width=80), summary)
    return out.getvalue()


def test_a_healthy_run_says_so():
    summary = Summary([result(), result(title="LIN")])
    assert summary.sentence() == "The same computation: 2 runs, 20 values compared, none diverged."
    assert summary.sentence() in shown(summary)
    assert json.loads(to_json(summary))["first"] is None


def test_the_headline_names_stage_place_distance_and_cause():
    summary = Summary([result(), result(finding(cause="an average for a maximum"), title="CAM")])
    for text in (summary.sentence(), shown(summary).replace("\n", " ")):
        for part in ("stage forward", "CAM", "gmp", "paddle_impl/attention.py:21", "2.5 apart", "2.5e+15",
                     "an average for a maximum"):
            assert part in text


def test_the_headline_is_of_the_first_program_that_diverges():
    summary = Summary([result(), result(finding(variable="a"), title="small"),
                              result(finding(variable="b"), title="large")])
    assert summary.headline[0].case.title == "small"


def test_a_place_is_a_line_whatever_the_programs_it_shows_in():
    summary = Summary([result(finding(run="replay")), result(finding(run="replay"), title="genA2B"),
                              result(finding(run="replay", variable="gap", line=30))])
    places = [(first.variable, [str(where.case) for where in results]) for first, results in summary.places()]
    assert places == [("gmp", ["CAM (eval)", "genA2B (eval)"]), ("gap", ["CAM (eval)"])]


def test_the_ladder_shows_the_first_broken_rung():
    rungs = {rung["stage"]: rung for rung in Summary([result(finding())]).rungs()}
    assert rungs["forward"]["status"] == "broken" and rungs["forward"]["first"]
    assert rungs["census"]["status"] == "good"
    assert rungs["update"]["status"] == "not run"


def test_json_has_the_fixed_keys_and_is_strict():
    first = finding(distance=float("inf"))
    document = json.loads(to_json(Summary([result(first)])), parse_constant=lambda name: pytest.fail(name))
    assert {"verdict", "counts", "first", "findings", "versions", "subjects"} <= document.keys()
    assert document["verdict"] == "diverged"
    assert set(document["counts"]) == {"compared", "same", "noise", "explained", "diverged", "uncompared", "undecided"}
    assert document["counts"]["compared"] == 11
    assert document["first"].keys() >= FIXED
    assert document["first"]["reference"] == {"file": "torch_ref/attention.py", "line": 20}
    assert document["first"]["worst"] == {"index": [0, 1], "reference": 3.0, "twin": 0.5}
    assert document["findings"][0].keys() >= FIXED | {"id"}
    assert document["subjects"][0]["verdict"] == "diverged"
    assert {"torch", "paddle", "numpy", "python"} <= document["versions"].keys()


def test_html_is_one_page_with_the_headline():
    summary = Summary([result(finding())])
    page = to_html(summary)
    assert "Diverged. First in CAM (eval)" in reading.text(page)
    assert "torch_ref/attention.py:20" in page
    assert "http" not in page and "src=" not in page


def test_html_escapes_what_it_shows():
    hostile = finding(variable=HOSTILE, cause=HOSTILE)
    uncompared = finding(Verdict.UNCOMPARED, variable=HOSTILE + "2")
    summary = Summary([result(hostile, uncompared, title=HOSTILE)])
    page = to_html(summary, title=HOSTILE, caption=HOSTILE, picture=b"PNG")
    assert HOSTILE not in page and page.count("<script") == 1  # the page's own
    assert page.count("&lt;script&gt;") >= 5


def test_the_terminal_takes_names_literally():
    assert "[bold]x[/bold]" in shown(Summary([result(finding(variable="[bold]x[/bold]"))]))


def test_uncompared_values_are_counted_and_named():
    missing = [finding(Verdict.UNCOMPARED, variable=f"v{n}") for n in range(5)]
    text = shown(Summary([result(*missing)]))
    assert "5 values were not compared" in text and "v0" in text and "and 2 more" in text


def test_nothing_compared_is_no_verdict():
    with pytest.raises(NothingCompared):
        _ = Summary([]).verdict


def test_the_table_fits_into_80_columns():
    assert max(map(len, shown(Summary([result(title="ResnetAdaILNBlock")])).splitlines())) <= 80


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.0, "0"), (6.17e-16, "6.2e-16"), (0.31, "0.31"), (42.4, "42"),
                                             (1e6, "1.0e+06")])
def test_figures_are_short(value, text):
    assert short(value) == text


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.json"
    write(path, "old")
    with pytest.raises(TypeError):
        write(path, 1.5)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="found a folder"):
        write(tmp_path, "x")
    with pytest.raises(InputError, match="no folder"):
        write(tmp_path / "none" / "report.json", "x")
    assert list(tmp_path.iterdir()) == [path]


def translation(difference: float) -> sheet.Translation:
    picture = np.zeros((3, 8, 8), np.float32)
    heat = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
    return sheet.Translation("a.png", "genA2B", picture, picture, picture + np.float32(difference), heat, heat * 0)


@pytest.mark.parametrize("difference", [0.0, 1e-6, 0.3, float("nan")])
def test_the_sheet_can_show_any_difference(difference):
    drawn = sheet.draw([translation(difference)])
    assert drawn.startswith(b"\x89PNG")
    factor = sheet.amplification([translation(difference)])
    assert factor == 1 or 0.39 < factor * difference <= 1.001

"""The pages in Chinese: no message without a translation, none that is no longer said, none left in English."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import string
import sys
from pathlib import Path

import browser
import numpy as np
import pytest
import reading
from babel.messages.catalog import Catalog

from parity.doctor.diagnosis import Diagnosis
from parity.doctor.finding import KINDS
from parity.doctor.finding import Finding as Symptom
from parity.doctor.report import to_html
from parity.languages import plain
from parity.messages import Message, say, several, some
from parity.numbers.arrays import Verdict
from parity.report import page as check_report
from parity.report.summary import Summary as CheckSummary
from parity.steps import picture as steps_picture
from parity.steps import report as steps_report
from parity.steps.summary import Summary
from parity.trace.source import Site
from parity.ugatit import sheet
from tests.cli.test_cli_steps import found, made
from tests.report.test_report import finding, result, translation

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "ci"))
import messages  # noqa: E402 (a script)

# --- the catalogue ---------------------------------------------------------------------------------------------------


def problems(source: Catalog, translated: Catalog) -> list[str]:
    """What is wrong with a catalogue, message by message."""
    said = []
    known = {_key(message.id): message for message in translated if message.id}
    for message in source:
        if not message.id:
            continue
        theirs = known.pop(_key(message.id), None)
        if theirs is None or not all(messages.written(theirs)):
            said.append(f"no translation: {_key(message.id)}")
        elif theirs.fuzzy:
            said.append(f"to be looked at (fuzzy): {_key(message.id)}")
        elif any(placeholders(text) != placeholders(_key(message.id)) for text in messages.written(theirs)):
            said.append(f"other placeholders: {_key(message.id)}")
        elif theirs.string == theirs.id and not re.search(r"[(=]", theirs.id) and reading.PROSE.search(theirs.id):  # not code
            said.append(f"the same in both languages: {_key(message.id)}")
    return said + [f"nobody says this any more: {key}" for key in known]


def _key(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def placeholders(text: str) -> list[str]:
    """Jinja's %(name)s, or the {name:format} of a message, in alphabetical order; of code with braces that is no pattern: none."""
    if found := re.findall(r"%\(\w+\)s", text):
        return sorted(set(found))
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return []
    return sorted({f"{{{name}!{conversion}:{form}}}" for _, name, form, conversion in fields if name})


def again(catalogue: Catalog, message: str, translation: str) -> None:
    """Another translation of a message."""
    catalogue.delete(message)
    catalogue.add(message, translation)


def test_every_message_has_a_translation():
    assert problems(messages.messages(), messages.translated()) == []
    assert len(messages.translated()) > 500


@pytest.mark.parametrize(("change", "trouble"), [
    (lambda catalogue: catalogue.delete("First divergence"), "no translation: First divergence"),
    (lambda catalogue: again(catalogue, "First divergence", ""), "no translation: First divergence"),
    (lambda catalogue: catalogue.add("no one says this", "没有人说"), "nobody says this any more: no one says this"),
    (lambda catalogue: again(catalogue, "{count} values diverged", "{number} 个值"), "other placeholders: {count} values diverged"),
    (lambda catalogue: again(catalogue, "{distance:.3g} apart, {multiple:.3g} noise floors", "{distance} {multiple}"),
     "other placeholders: {distance:.3g} apart, {multiple:.3g} noise floors"),
    (lambda catalogue: again(catalogue, "exists in the twin only", "exists in the twin only"),
     "the same in both languages: exists in the twin only"),
])
def test_a_catalogue_that_is_out_of_step_is_told(change, trouble):
    catalogue = messages.translated()
    change(catalogue)
    assert problems(messages.messages(), catalogue) == [trouble]


SAID = {"Finding": (2, 3), "Kind": (2,), "Deviation": (), "CensusFinding": (1,)}  # positions that a page shows
NAMED = {"trouble", "cause", "message", "evidence", "remedy", "instead", "title", "sentence"}


def unsaid(source: str) -> list[str]:
    """Sentences that go to a page as plain text, which no catalogue can know: f-strings, and texts of several words."""
    return [f"line {value.lineno}: {ast.unparse(value)}" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)
            for value in _shown(node) for value in _branches(value)
            if (isinstance(value, ast.JoinedStr) and len(re.findall("[a-z]{2,}", ast.unparse(value).partition("{")[0])) > 1)
            or (isinstance(value, ast.Constant) and isinstance(value.value, str) and reading.PROSE.search(value.value))]


def _shown(call: ast.Call) -> list[ast.expr]:
    places = SAID.get(getattr(call.func, "id", None))
    if places is None:
        return []
    return [call.args[place] for place in places if place < len(call.args)] + [k.value for k in call.keywords if k.arg in NAMED]


def _branches(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.IfExp):
        return [*_branches(value.body), *_branches(value.orelse)]
    return [*_branches(value.left), *_branches(value.right)] if isinstance(value, ast.BinOp) else [value]


def test_what_pages_show_is_said():
    found = {str(path.relative_to(ROOT)): unsaid(path.read_text()) for path in (ROOT / "parity").rglob("*.py")
             if "exam" not in path.parts}
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert len(unsaid('Finding("id", "x", f"the step raised {error}", "no line calls it")')) == 2
    assert unsaid('Finding("id", "x", say("the step raised {error}", error=1), "" if so else say("no line calls it"))') == []


# --- messages --------------------------------------------------------------------------------------------------------


def test_a_message_is_its_english_and_knows_its_chinese():
    inner = several("{count} parameter", "{count} parameters", 3)
    message = say("{optimizer} moved {parameters} without gradient ({names})", optimizer="Adam<", parameters=inner,
                  names=some(["a", "b", "c", "d"]))
    assert message == "Adam< moved 3 parameters without gradient (a, b, c and 1 more)" == plain(message, "en")
    assert plain(message, "zh-CN") == "Adam< 移动了没有梯度的 3 个参数（a, b, c 等，另有 1 个）"
    html = str(message.__html__())
    assert html.startswith('<span lang="en">Adam&lt; moved') and '<span lang="zh-CN">Adam&lt; 移动' in html and "Adam<" not in html
    assert several("{count} parameter", "{count} parameters", 1) == "1 parameter"
    for copied in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert plain(copied, "zh-CN") == plain(message, "zh-CN")
    assert json.loads(json.dumps(message)) == message and say("list(x) for {y}") == "list(x) for {y}"


def test_every_remedy_of_the_doctor_is_in_chinese():
    assert all(isinstance(kind.remedy, Message) for kind in KINDS.values())


# --- pages -----------------------------------------------------------------------------------------------------------


def check_page() -> str:
    diverged = [finding(cause=say("the twin's values are {likeness}", likeness=say("all zero on one side"))),
                finding(run="replay", variable="gap")]
    uncompared = finding(Verdict.UNCOMPARED, variable="x")
    summary = CheckSummary([result(title="LIN"), result(*diverged, uncompared, title="genA2B")])
    summary.merged.remarks.append(say("{count} values diverged", count=2))
    drawn = [translation(0.3)]
    return check_report.to_html(summary, picture=sheet.draw(drawn), caption=sheet.caption(drawn))


def steps_page(*findings) -> str:
    steps = np.linspace(8, 7, 5).tolist()
    summary = Summary([made("float64", *findings, reference=steps), made("float32", reference=steps)], steps=5, faults=("gmp_G",))
    return steps_report.to_html(summary, steps_picture.drawings(summary))


def test_the_words_in_the_picture_of_steps_are_of_its_language():
    losses = np.linspace(8, 7, 5).tolist()
    summary = Summary([made("float64", found(), reference=losses, twin=[1.01 * loss for loss in losses])], steps=5, faults=("x",))
    words = {language: re.findall("<text [^>]*>([^<]+)</text>", drawn.decode())
             for language, drawn in steps_picture.drawings(summary).items()}
    assert {"first divergence", "what rounding alone does", "twin", "step"} <= set(words["en"])
    assert {"首个差异", "移植实现", "步"} <= set(words["zh-CN"]) and len(words["zh-CN"]) == len(words["en"])
    assert [text for text in words["zh-CN"] if reading.PROSE.search(text)] == []


def doctor_page() -> str:
    site = Site(__file__, 1)
    findings = [Symptom(kind, "net", say("the loader gave no batch at all"), say("no line calls step() on it"), site, 1)
                for kind in KINDS]
    diagnosis = Diagnosis((*findings, Symptom("no-data", "loader", say("the iterator over the data ran dry"), expected=True)), 3)
    return to_html(diagnosis, "train:step")


PAGES = {
    "check": check_page, "healthy check": lambda: check_report.to_html(CheckSummary([result()])), "doctor": doctor_page,
    "steps": lambda: steps_page(found(), found(verdict=Verdict.UNCOMPARED)), "healthy steps": lambda: steps_page(),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_english_sentence_for_chinese_readers(name):
    page = PAGES[name]()
    assert reading.english_left(page) == []
    assert len(re.findall("[一-鿿]", reading.text(page, "zh-CN"))) > 100 and 'lang="en"' in page


def test_an_english_sentence_is_seen():
    page = PAGES["check"]()
    assert set(reading.english_left(page.replace("首个差异", "The first divergence"))) == {"The first divergence"}
    assert reading.english_left('<p><span lang="en">Nothing was found here</span><span lang="zh-CN">无</span></p>') == []


@browser.needs_browser
def test_the_page_speaks_the_browsers_language_and_can_be_switched(tmp_path):
    page = PAGES["check"]()
    seen = browser.probe(page, tmp_path, 1000, "", "zh-CN,zh,en")
    assert (seen["language"], seen["title"]) == ("zh-CN", "Parity 报告: 不一致")
    assert "首个差异" in seen["text"] and "First divergence" not in seen["text"]
    for language, accepts, expected in (("", "de-DE,de", "en"), ("", "en-US,en,zh", "en"), ("en", "zh-CN", "en"),
                                        ("zh-CN", "en", "zh-CN")):
        assert browser.probe(page, tmp_path, 1000, language, accepts)["language"] == expected

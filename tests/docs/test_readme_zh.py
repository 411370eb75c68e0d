"""Chinese pages keep in step with the English ones: section by section the same commands, outputs, figures, links and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest

import pytest
from pages import ROOT, TWINS

_CODE = re.compile(r"^```(?s:.*?)^```$|(?:^    .*\n)+", re.MULTILINE)


def sections(text: str) -> list[tuple[str, str]]:
    """(heading, what is below it), in order. A "#" in code is no heading."""
    masked = _CODE.sub(lambda found: re.sub("^#", "x", found[0], flags=re.MULTILINE), text)
    marks = [*re.finditer(r"^#+ .*$", masked, re.MULTILINE)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [(mark[0], text[mark.end():end]) for mark, end in zip(marks, ends, strict=True)]


def code(text: str) -> list[str]:
    """Blocks of code, without comments (those are translated) and the descriptions in a tree of folders."""
    return [re.sub(r"[ \t]+#.*|(?<=/)  +.*", "", found).rstrip() for found in _CODE.findall(text)]


def prose(text: str) -> str:
    return _CODE.sub("", text)


ASPECTS: dict[str, Callable[[str], list[str]]] = {
    "blocks of code": code,
    "links and figures": lambda text: sorted(re.findall(r"\]\(([^)]+)\)", text.replace(".zh-CN.md", ".md"))),
    "words in code": lambda text: sorted({" ".join(word.split()) for word in re.findall(r"`([^`]+)`", prose(text))}),
    "numbers": lambda text: sorted(re.findall(r"(?<![\w.])\d+(?:\.\d+)*(?:e[+-]?\d+)?", prose(text))),
    "lists": lambda text: re.findall(r"^(?:- |\| )", prose(text), re.MULTILINE),
}


def out_of_step(english: str, chinese: str) -> list[str]:
    """What differs, with the section of the English page in which it does."""
    told = []
    for ours, theirs in zip_longest(sections(english), sections(chinese), fillvalue=("(none)", "")):
        if ours[0].count("#") != theirs[0].count("#") or "(none)" in (ours[0], theirs[0]):
            told.append(f"{ours[0]!r} of the English page meets {theirs[0]!r}: a section is missing, or in another order")
            continue
        for aspect, of in ASPECTS.items():
            left, right = of(ours[1]), of(theirs[1])
            if left != right:
                odd = [f"{entry!r} in one only" for entry in [*left, *right] if left.count(entry) != right.count(entry)]
                told.append(f"{ours[0]!r} ({theirs[0]!r}): other {aspect}: {'; '.join(dict.fromkeys(odd)) or 'another order'}")
    return told


@pytest.mark.parametrize("pages", TWINS, ids=lambda pages: pages[0].stem)
def test_the_chinese_page_is_in_step(pages):
    english, chinese = (page.read_text() for page in pages)
    assert out_of_step(english, chinese) == []
    assert len(english) > 1000


def test_there_are_such_pages():
    assert len(TWINS) >= 7 and len(sections(TWINS[0][0].read_text())) >= 7


@pytest.mark.parametrize(("page", "old", "new", "section", "aspect"), [
    ("docs/u-gat-it", "    parity check --only 'genA2B*' --lane float64\n", "", "## Compare", "blocks of code"),
    ("docs/verdict-in-short", "](calibration.md)", "](exam.md)", "in short", "links"),
    ("docs/convert-a-checkpoint", "`--verify full`", "`--verify all`", "# Convert a checkpoint", "words in code"),
    ("docs/limits", "1.10 times their peak memory", "1.5 times their peak memory", "# Limits", "numbers"),
    ("docs/limits", "- `--device gpu` has not been run for this README.\n", "", "# Limits", "lists"),
    ("README", "## Install\n", "## Install\n\n### Here\n", "### Here", "missing"),
])
def test_a_change_of_one_page_alone_is_told_with_its_section(page, old, new, section, aspect):
    english, chinese = ((ROOT / f"{page}{language}.md").read_text() for language in ("", ".zh-CN"))
    assert english.count(old) == 1
    told = out_of_step(english.replace(old, new), chinese)
    assert any(section in line and aspect in line for line in told), told

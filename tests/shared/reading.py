"""A page as the reader of one language sees it, and what is still English in it for a Chinese one."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_EMPTY = {"meta", "img", "br", "link", "input", "hr"}
PROSE = re.compile(r"\b[A-Za-z][a-z]+(?:,? [a-z]+){2,}\b")  # three English words in a row; names and code hardly ever are


class _Reader(HTMLParser):
    """Collects the text outside the spans of other languages; with `prose` without code and what is not to be translated."""

    def __init__(self, language: str, prose: bool) -> None:
        super().__init__()
        self._language, self._prose = language, prose
        self.text: list[str] = []
        self._open: list[bool] = []  # of each open element, whether it hides its text

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag not in _EMPTY:
            code = tag == "code" or "mono" in (given.get("class") or "").split() or given.get("translate") == "no"
            self._open.append(tag in ("script", "style", "title") or (self._prose and code)
                              or (tag == "span" and given.get("lang") not in (None, self._language)))
        self.text.append(given.get(f"data-{self._language.lower()}") or "")
        if tag in ("h1", "h2", "h3", "p", "td", "th", "dt", "dd", "li", "figcaption", "summary", "div", "br"):
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _EMPTY:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.text.append(data)


def text(page: str, language: str = "en", *, prose: bool = False) -> str:
    """What the page says in a language, pictures' descriptions included. prose: without code."""
    reader = _Reader(language, prose)
    reader.feed(page)
    return "".join(reader.text)


def english_left(page: str) -> list[str]:
    """Pieces of English prose that a Chinese reader would meet."""
    return [found[0] for found in PROSE.finditer(text(page, "zh-CN", prose=True))]

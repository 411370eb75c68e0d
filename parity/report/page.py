"""The report as one HTML page, and the page that every report is made with."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import jinja2

from parity import languages as language
from parity.messages import say, term
from parity.numbers.noise import ACCURACY, M
from parity.report import sketches
from parity.report.tree import roots
from parity.report.words import distance, place, row, short, versions
from parity.trace.source import Site

if TYPE_CHECKING:
    from parity.report.summary import Summary

ROWS = 200  # of a table


def to_html(summary: Summary, *, title: str = say("Parity report"), picture: bytes | None = None, caption: str = "") -> str:
    """One page that needs nothing else. picture: a PNG to show on it."""
    diverged = [(result.case, finding) for result in summary.results for finding in result.report.diverged]
    uncompared = [(result.case, finding) for result in summary.results for finding in result.report.uncompared]
    return page(
        "report.html", title=title, verdict=summary.verdict, headline=summary.headline, sentence=summary.sentence(),
        rows=[row(result) for result in summary.results], rungs=summary.rungs(), places=summary.places(),
        diverged=diverged[:ROWS], diverged_count=len(diverged), uncompared=uncompared[:ROWS],
        uncompared_count=len(uncompared), limits={"M": M, "accuracy": ACCURACY}, remarks=summary.merged.remarks,
        picture=base64.b64encode(picture).decode() if picture else None, caption=caption, versions=summary.versions,
        made=summary.circumstances, tree=roots(summary.merged, [place for place, _ in summary.places()]))


def page(template: str, **values: object) -> str:
    """One of the templates, as a page that needs nothing else; every page has the versions at its foot."""
    environment = jinja2.Environment(loader=jinja2.PackageLoader("parity.report"), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, extensions=["jinja2.ext.i18n"])
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(language.page_gettext, language.page_ngettext, newstyle=True)
    environment.filters |= {"short": short, "site": _site, "distance": distance, "place": place, "term": term,
                            "plain": language.plain, "histograms": sketches.histograms, "ends": sketches.ends,
                            "maps": sketches.maps}
    environment.globals |= {"say": say, "languages": language.NAMES}
    return environment.get_template(template).render(**{**values, "versions": values.get("versions") or versions()})


def framed(page: str) -> str:
    """A page for a notebook: in a frame, as its styles are for itself alone."""
    return f'<iframe srcdoc="{escape(page)}" style="width: 100%; height: 40rem; border: 0"></iframe>'


def _site(site: Site | None) -> dict:
    return {"place": str(site) if site else say("no such place"), "text": site.text if site else ""}

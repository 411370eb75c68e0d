"""Headless Chromium on a page: what it logs, what is missing, what does not fit."""

from __future__ import annotations

import html
import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from parity.languages import plain
from parity.messages import say

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom")

_PROBE = """
document.getElementById("page").addEventListener("load", () => {
  const page = document.getElementById("page").contentDocument, all = selector => [...page.querySelectorAll(selector)];
  all('.languages button[lang="LANGUAGE"]').forEach(button => button.click());
  all("table.sortable th button").slice(1, 2).forEach(button => button.click());
  const box = page.querySelector(".filter input");
  const typed = text => {
    box.value = text;
    box.dispatchEvent(new page.defaultView.Event("input"));
    return all(".filtered tbody tr").filter(row => !row.hidden).length;
  };
  const filtered = box && ["", "no such word", "TYPED"].map(typed);
  if (box) typed("");
  document.getElementById("probe").textContent = JSON.stringify({
    width: page.documentElement.scrollWidth, language: page.documentElement.lang, title: page.title,
    text: page.body.innerText, headings: all("h2").map(h => h.innerText.trim()),
    missing: all("img").filter(img => !(img.complete && img.naturalWidth)).length, images: all("img").length,
    unnamed: all("img").filter(img => !img.alt).length,
    dangling: all('a[href^="#"]').filter(a => !page.getElementById(a.hash.slice(1))).length,
    hidden: all("h2, p, td").filter(part => part.getClientRects().length === 0 && !part.closest("details")).length,
    filtered, drawn: all(".drawn svg").filter(drawing => drawing.getBoundingClientRect().width > 100).length,
    first: all("table.sortable tbody").slice(0, 1).map(body => [...body.rows].map(row => row.cells[0].textContent.trim())),
  });
});
"""


def probe(page: str, folder: Path, width: int, language: str = "en", accepts: str = "en-US", typed: str = "") -> dict:
    """What `_PROBE` finds on the page in a window of this width, with sortable tables sorted by their second column; "console": its
    log. language: what is clicked on; "" leaves it to the browser, which `accepts` these. typed: into the filter of rows."""
    wrapped = folder / f"window-{width}-{language}.html"
    # A frame, since headless windows have a smallest width.
    wrapped.write_text(f'<!doctype html><meta charset="utf-8"><body style="margin:0"><iframe id="page" style="border:0" '
                       f'width="{width}" height="900" srcdoc="{html.escape(page)}"></iframe><pre id="probe"></pre>'
                       f"<script>{_PROBE.replace('LANGUAGE', language).replace('TYPED', typed)}</script>")
    own = (f"--accept-lang={accepts}", f"--user-data-dir={folder / 'profile'}")
    done = subprocess.run([CHROMIUM, *_OPTIONS, *own, wrapped.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)[1]))
    return {**found, "console": [line for line in done.stderr.splitlines() if "CONSOLE" in line]}


def check(page: str, folder: Path, headings: set[str]) -> dict:
    """The page, wide and narrow, in both languages: nothing logged, nothing missing, nothing wider than the window. Returns the
    narrow probe in English."""
    assert re.search(r'(?:src|href)="(?!data:|#)', page) is None and "http" not in re.sub(r"data:[^\"]*", "", page)
    for language, width in itertools.product(("zh-CN", "en"), (1400, 390)):
        found = probe(page, folder, width, language)
        assert found["console"] == [] and found["missing"] == found["unnamed"] == found["dangling"] == found["hidden"] == 0
        assert found["width"] <= width, f"{found['width']} pixels wide in a window of {width}, {language}"
        assert '">' not in found["text"], "an attribute's end is shown"
        wanted = headings if language == "en" else {plain(say(heading), language) for heading in headings}
        assert wanted <= set(found["headings"]), f"missing: {wanted - set(found['headings'])}"
    return found

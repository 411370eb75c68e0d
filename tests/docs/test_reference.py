"""docs/reference.md has all that users can call."""

from __future__ import annotations

import importlib.util
import re

from pages import ROOT

import parity


def test_the_reference_has_everything():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "ci" / "reference.py")
    making = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(making)
    made = making.page()
    entries = re.findall("^### .+$", made, re.MULTILINE)
    assert entries == re.findall("^### .+$", making.PAGE.read_text(), re.MULTILINE), "make reference"
    assert {f"### parity.{name}" for name in parity.__all__ if name != "__version__"} <= set(entries)
    assert "### parity train" in entries and "lanes: Iterable[str] = ('float64', 'float32')" in made and "--sarif FILE" in made

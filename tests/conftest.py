"""Of the whole suite."""

import gc
import importlib
from contextlib import suppress

import pytest


def pytest_sessionstart(session: pytest.Session) -> None:
    """Libraries first, then what tests make: who looks for random generators need not look through these (tests/unit has none). And
    what `pytester` sees imported it takes out again: half of a library would be another than the other half."""
    if not all("tests/unit" in argument for argument in session.config.args):
        for library in ("torch", "paddle", "jinja2.ext"):
            with suppress(ImportError):
                importlib.import_module(library)
        gc.freeze()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Nor through the tests themselves."""
    gc.freeze()

"""Of the whole suite."""

import gc
import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress

import pytest


def pytest_sessionstart(session: pytest.Session) -> None:
    """Libraries first, then what tests make: who looks for random generators need not look through these (tests/unit has none). And
    what `pytester` sees imported it takes out again: half of a library would be another than the other half."""
    if not all("tests/unit" in argument for argument in session.config.args):
        for library in ("torch", "torch._dynamo.repro.after_dynamo", "paddle", "jinja2.ext"):  # with torch's compiler, whole
            with suppress(ImportError):
                importlib.import_module(library)
        gc.freeze()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Nor through the tests themselves."""
    gc.freeze()


@pytest.fixture(autouse=True)
def forget_what_was_imported() -> Iterator[None]:
    """What a test has written and imported goes with its folder: the next test's `my_paddle.py` is another."""
    modules, path = set(sys.modules), set(sys.path)
    yield
    written = tempfile.gettempdir()
    for name in sys.modules.keys() - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(written):
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry in path or not entry.startswith(written)]

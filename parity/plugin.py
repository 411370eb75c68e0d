"""The pytest plugin: a `parity` fixture, a marker, the finding as the failure message, `--parity-report=DIR`.

    @pytest.mark.parity(lanes=["float64"])
    def test_port(parity):
        parity(pair)

Each call compares one `Port` in all its modes; `parity.steps(pair, steps=5)` follows its training. JUnit files are pytest's own
(`--junitxml`): the failure's text is the finding, and the property `divergence` of the test its file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import parity

# The frameworks are imported inside: a project whose tests never ask for the fixture must not wait for them.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("parity").addoption(
        "--parity-report", metavar="DIR", help="write an HTML page and a JSON file for every comparison into this folder")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "parity(lanes, modes, seed): how the `parity` fixture compares; all optional")
    config.addinivalue_line("filterwarnings", "ignore:No ccache found")  # Paddle's, of compilers that nobody here needs


@pytest.fixture(name="parity")
def parity_fixture(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """parity(port, lanes=..., modes=..., seed=...) compares a `parity.Port`; fails the test where the two diverge.

    Returns what `parity.compare` does. Keywords override the marker's; by default both lanes, the port's modes and seed.
    parity.steps(port, steps=..., mode=..., lanes=..., seed=...) trains both sides, and returns what `parity.follow` does;
    by default three steps of a free run in float64.
    """
    marker = request.node.get_closest_marker("parity")
    marked = dict(marker.kwargs) if marker else {}
    numbers = iter(range(1, 1_000_000))

    def compare(port: Any, *, lanes: Iterable[str] | None = None, modes: Iterable[str] | None = None,
                seed: int | None = None, device: str = "cpu") -> Any:
        __tracebackhide__ = True
        from parity.report import document, page
        summary = called(parity.compare, port, **chosen(lanes=lanes, modes=modes, seed=seed), device=device)
        publish(lambda: page.to_html(summary, title=request.node.nodeid), lambda: document.to_json(summary))
        if summary.verdict == "undecided":
            pytest.fail(str(summary.sentence()), pytrace=False)
        if summary.headline is not None:
            result, first = summary.headline
            fail(result.case, first)
        return summary

    def follow(port: Any, *, steps: int = 3, mode: str = "free", lanes: Iterable[str] | None = None, seed: int | None = None,
               device: str = "cpu") -> Any:
        __tracebackhide__ = True
        from parity.steps import picture, report
        summary = called(parity.follow, port, steps=steps, mode=mode, **chosen(lanes=lanes, seed=seed), device=device)
        publish(lambda: report.to_html(summary, picture.drawings(summary)), lambda: report.to_json(summary))
        if summary.verdict == "undecided":
            pytest.fail(str(summary.sentence()), pytrace=False)
        if summary.first is not None:
            fail(summary.merged.subject, summary.first)
        return summary

    def chosen(**given: Any) -> dict[str, Any]:
        """What the call says, else the marker; what neither says is left to the door."""
        both = {name: marked.get(name) if value is None else value for name, value in given.items()}
        return {name: value for name, value in both.items() if value is not None}

    def called(door: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        try:
            summary = door(*arguments, **options)
            summary.verdict  # noqa: B018 (raises NothingCompared)
        except (parity.InputError, parity.NothingCompared) as error:
            pytest.fail(str(error), pytrace=False)
        return summary

    def fail(what: Any, first: Any) -> None:
        __tracebackhide__ = True
        request.node.user_properties.append(("divergence", str(first.twin or first.reference or first.key.module)))
        pytest.fail(f"{what}: {first}", pytrace=False)

    def publish(to_html: Callable[[], str], to_json: Callable[[], str]) -> None:
        folder = request.config.getoption("--parity-report")
        if folder:
            _write(Path(folder), request.node.nodeid, next(numbers), to_html(), to_json())

    compare.steps = follow
    return compare


def _write(folder: Path, test: str, number: int, html: str, json: str) -> None:
    from parity.files import write
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", test).strip("_") + (f"_{number}" if number > 1 else "")
    write(folder / f"{name}.html", html)
    write(folder / f"{name}.json", json)

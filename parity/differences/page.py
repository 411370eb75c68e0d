"""The registry as a page of text (markdown), measured on the installed Paddle."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import FunctionType

import paddle
import torch

from parity.differences.difference import Difference


def page(registry: Iterable[Difference]) -> str:
    """The page: a table of sizes by version, then each entry; bugs of Paddle as text that a maintainer can take."""
    registry = list(registry)
    bugs = [difference for difference in registry if difference.is_bug]
    others = [difference for difference in registry if not difference.is_bug]
    return "\n".join([
        "# Where Paddle and torch differ", "",
        "Written by `python -m parity.differences`; measured here: "
        f"Paddle {paddle.__version__}, torch {torch.__version__}, CPU.", "",
        "An entry is executable: the tests run its reproduction on the installed Paddle, and `imitate()` makes torch "
        "behave the same for the time of a `with`. So a divergence can be *explained*: it is gone when the reference "
        "does what Paddle does.", "",
        *_table(registry), "",
        "## Bugs of Paddle", "", *(line for difference in bugs for line in _entry(difference)),
        "## Differences by choice", "", *(line for difference in others for line in _entry(difference)),
    ]).rstrip() + "\n"


def _table(registry: list[Difference]) -> list[str]:
    versions = list(registry[0].figures)
    lines = ["| name | difference | " + " | ".join(versions) + " | here |", "|---" * (len(versions) + 3) + "|"]
    for difference in registry:
        figures = [_figure(difference, difference.figures[version]) for version in versions]
        figures.append(_figure(difference, difference.reproduce().measured))
        lines.append(f"| [{difference.name}](#{difference.name}) | {difference.title} | " + " | ".join(figures) + " |")
    return lines


def _figure(difference: Difference, figure: float) -> str:
    low, high = difference.expected
    return f"{figure:.2g}" if low <= figure <= high else f"no ({figure:.2g})"


def _entry(difference: Difference) -> list[str]:
    reproduction = difference.reproduce()
    function = difference.measure
    source = "\n\n\n".join(inspect.getsource(one).rstrip() for one in _with_helpers(function))
    lines = [f'### <a id="{difference.name}"></a>{difference.title}', "",
             f"Where: {difference.where}.", "", f"Size: {difference.size}", "",
             "```python", *_imports(source), source, "", "",
             f"print({function.__name__}())", "```", "",
             f"- expected: {difference.correct}",
             f"- found: {reproduction.measured:.3g} (Paddle {reproduction.version})",
             f"- seen in: {', '.join(difference.versions)}"
             + "".join(f"; not in {version}" for version in difference.figures if version not in difference.versions)]
    if difference.effect:
        lines.append(f"- effect: {difference.effect}")
    lines.append(f"- in the twin: {difference.avoided_by or 'Paddle as it is'}")
    if difference.material:
        lines.append("- in a verdict: diverged, with this as its cause; the twin has to be written otherwise"
                     + ("; explained, where the labels are fed in and no weight is behind them" if difference.of_data else ""))
    return [*lines, ""]


def _with_helpers(function: FunctionType) -> list[FunctionType]:
    """The functions of its module that it takes, each behind those that it takes itself; the function is the last."""
    found: dict[FunctionType, None] = {}

    def take(one: FunctionType) -> None:
        for name in one.__code__.co_names:
            other = one.__globals__.get(name)
            if isinstance(other, FunctionType) and other.__module__ == function.__module__ and other not in found:
                take(other)
        found[one] = None

    take(function)
    return list(found)


def _imports(source: str) -> list[str]:
    known = {"os.": "import os", "signal.": "import signal", "tempfile.": "import tempfile", "warnings.": "import warnings",
             "Path(": "from pathlib import Path", " Any": "from typing import Any",
             "np.": "import numpy as np", "paddle.": "import paddle", "torch.": "import torch"}
    return [*(line for use, line in known.items() if use in source), "", ""]

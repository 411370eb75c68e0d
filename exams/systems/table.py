"""The tables of docs/the-table.md: `python -m exams.systems.table` writes them there, between their marks.

Parameters at the official sizes, the verdict of each pair, of ten training steps, and what was measured. Exit code 1 where any
diverges.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from parity import Port, compare
from parity.files import write
from parity.report.words import row
from parity.steps.follow import follow

PAGE = Path(__file__).parents[2] / "docs" / "the-table.md"
SYSTEMS = ("cyclegan", "attentiongan", "munit", "unit", "drit")
STEPS = 10
COLUMNS = ("float64_forward", "float64_gradients", "float32_errors")


def declared(system: str) -> dict[str, Any]:
    return vars(importlib.import_module(f"exams.systems.{system}"))


def sizes() -> Iterator[tuple[str, ...]]:
    yield "network", "parameters at the official size"
    for system in SYSTEMS:
        for name, build in declared(system)["OFFICIAL"].items():
            with torch.device("meta"):
                network = build()
            yield f"{system}.{name}", f"{sum(parameter.numel() for parameter in network.parameters()):,}"


def modules() -> Iterator[tuple[str, ...]]:
    yield "pair", "verdict", "values", "forward", "gradients", "float32"
    for system in SYSTEMS:
        for name, pair in declared(system).items():
            if isinstance(pair, Port):
                [result] = compare(pair, modes=["train"]).results
                measured = row(result)
                yield (f"{system}.py:{name}", measured["verdict"], str(measured["compared"]),
                       *(f"{measured[column]:.2g}" for column in COLUMNS))


def trainings() -> Iterator[tuple[str, ...]]:
    yield "training", "verdict", "steps", "values"
    for system in SYSTEMS:
        found = follow(declared(system)["training"].subject(), steps=STEPS, mode="resync", lane="float64")
        yield f"{system}.py:training", found.verdict, str(found.steps), str(found.report.compared)


def table(rows: Iterator[tuple[str, ...]]) -> list[str]:
    head, *rest = [f"| {' | '.join(cells)} |" for cells in rows]
    return [head, "|---" * (head.count("|") - 1) + "|", *rest]


def main() -> int:
    page, diverged = PAGE.read_text(encoding="utf-8"), False
    for make in (sizes, modules, trainings):
        lines = table(make())
        diverged |= any("diverged" in line for line in lines)
        before, mark, rest = page.partition(f"<!-- {make.__name__} -->\n")
        after = rest.partition("<!-- end -->")[2]
        page = f"{before}{mark}\n" + "\n".join(lines) + f"\n\n<!-- end -->{after}"
    write(PAGE, page)
    return int(diverged)


if __name__ == "__main__":
    sys.exit(main())

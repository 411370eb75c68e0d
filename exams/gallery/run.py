"""Sit the gallery: the truth of every pair, what `parity compare` says to it, what that costs, and the page.

    make gallery            (or, in its environment: python -m exams.gallery.run --out docs/gallery.md)

Answers can be kept (--answers FILE) and gone on with: pairs that are in the file are not run again,
except those named by --only.
"""

from __future__ import annotations

import ast
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import click

from exams.gallery import sitting, truth
from exams.gallery.plain import plain
from exams.gallery.rules import RULES
from parity import files

HERE = Path(__file__).parent
LIBRARIES = ("torch", "paddlepaddle", "transformers", "paddlenlp", "timm", "paddleclas", "torchvision")
SAYS = {0: "same", 1: "differs"}
RIGHT = {"right"}

HEAD = """# The gallery

Written by `make gallery` ({versions}).

Public models that exist in both worlds, as their libraries offer them: `transformers` against PaddleNLP,
`timm` against PaddleClas,
torchvision against `paddle.vision`. Configurations are small,
weights random. The *truth* of a pair is found without the harness
(`exams/gallery/truth.py`): weights are copied by a rule written by hand (`exams/gallery/rules.py`),
both models are run in float64
and eval mode, and the largest deviation of an output, relative to its largest value, is in the column *apart*. Then
`parity compare FILE` is asked, in a process of its own. *lines* are those of the pair file (`exams/gallery/pairs/`) that are
neither blank nor its docstring. *CPU* and *memory* are those of the whole command after its imports; in brackets,
as multiples of a
plain forward and backward pass of both models, in eval and train mode, float32,
without the harness. The plain runs of models this
small take a tenth of a second: the ratio says what a user of a small model waits for, not what a large one costs.
"""


@dataclass(frozen=True)
class Row:
    """One pair, as it is kept."""

    name: str
    title: str
    lines: int
    apart: float | None
    truth: str
    said: str
    first: str
    seconds: float
    plain_seconds: float
    megabytes: float
    plain_megabytes: float

    @property
    def outcome(self) -> str:
        if self.said not in ("same", "differs"):
            return self.said
        return "right" if self.said == self.truth else "false alarm" if self.said == "differs" else "false green"


def sit(name: str) -> Row:
    """The truth, the answer, the cost."""
    file = sitting.file_of(name)
    title = ast.get_docstring(ast.parse(file.read_text())).rstrip(".")
    told = sitting.forked(lambda: _write_deviation(name))
    apart = _number(told.said)
    if apart is not None and not truth.holds(name, apart):
        raise click.ClickException(f"{name}: {apart:.1e} apart, but expected to be {truth.expected(name)}: one of the two is wrong")
    bare = sitting.forked(lambda: plain(name))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        ended = sitting.forked(sitting.command("compare", str(file), "--json", str(report)))
        first = _first(json.loads(report.read_text())) if report.exists() else ended.said.strip().rpartition("\n")[2]
    said = SAYS.get(ended.code, "undecided" if ended.code == 2 and report_was_written(ended.said) else "crash")
    return Row(name, title, lines_of(file), apart, truth.expected(name), said, first,
               round(ended.seconds, 1), round(bare.seconds, 2), round(ended.megabytes), round(bare.megabytes))


def report_was_written(said: str) -> bool:
    return "values compared" in said or "undecided" in said.lower()


def _write_deviation(name: str) -> int:
    try:
        print(f"\napart {truth.deviation(name)!r}")
    except truth.RuleError as error:
        print(f"\nnot to be copied: {error}")
    return 0


def _number(said: str) -> float | None:
    found = [line.split()[1] for line in said.splitlines() if line.startswith("apart ")]
    if not found and "not to be copied" not in said:
        raise click.ClickException(f"the truth cannot be had:\n{said}")
    return float(found[-1]) if found else None


def _first(report: Mapping) -> str:
    """The headline in a few words."""
    first = report["first"]
    if first is None:
        return ""
    line = first["twin"] if first["twin"]["line"] else first["reference"]
    place = f", {Path(line['file']).name}:{line['line']}" if line["line"] else ""
    return f"{first['stage']}: {first['module']} {first['variable']}{place}" + (f" ({first['cause']})" if first["cause"] else "")


def lines_of(file: Path) -> int:
    """Lines of a pair file that are neither blank nor its docstring."""
    docstring = range(1, ast.parse(file.read_text()).body[0].end_lineno + 1)
    return sum(bool(line.strip()) for number, line in enumerate(file.read_text().splitlines(), 1) if number not in docstring)


def page(rows: Sequence[Row], versions: Mapping[str, str]) -> str:
    """The published page."""
    rows = sorted(rows, key=lambda row: (row.title.partition(": ")[2], row.name))
    right = sum(row.outcome in RIGHT for row in rows)
    short = sum(row.lines <= 10 for row in rows)
    lines = [HEAD.format(versions=", ".join(f"{name} {number}" for name, number in versions.items())),
             f"{len(rows)} pairs: {right} right, {len(rows) - right} not. {short} pair files have 10 lines or fewer.", "",
             "| pair | lines | apart | truth | parity says | | CPU s | MB |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        apart = "no rule" if row.apart is None else f"{row.apart:.0e}"
        lines.append(f"| {row.title} | {row.lines} | {apart} | {row.truth} | {row.said} | {row.outcome} | "
                     f"{row.seconds:.0f} ({row.seconds / max(row.plain_seconds, 0.01):.0f}x) | "
                     f"{row.megabytes:.0f} ({row.megabytes / row.plain_megabytes:.1f}x) |")
    lines += ["", "## Real differences between the libraries", "",
              *(f"- {row.title}: {truth.DIFFERS[row.name]}. parity: {row.first or row.said}."
                for row in rows if row.truth == "differs")]
    wrong = [row for row in rows if row.outcome not in RIGHT]
    lines += ["", "## Not right yet", "", *(f"- {row.title}: {row.outcome}. {row.first}" for row in wrong),
              *([] if wrong else ["None."])]
    return "\n".join(lines) + "\n"


@click.command(help=__doc__)
@click.option("--out", metavar="FILE", help="Write the page here.")
@click.option("--answers", metavar="FILE", help="Keep the answers here, and go on from what is there.")
@click.option("--only", multiple=True, metavar="NAME", help="These pairs; they are run again.")
@click.option("--again", is_flag=True, help="Run again what was not right.")
@click.option("--seconds", type=click.FloatRange(0), default=float("inf"),
              help="Stop after so long; go on later with --answers.")
def main(out: str | None, answers: str | None, only: Sequence[str], again: bool, seconds: float) -> None:
    kept: dict[str, Row] = {}
    if answers and Path(answers).exists():
        kept = {key: Row(**row) for key, row in json.loads(Path(answers).read_text()).items()}
    wanted = only or [name for name in RULES if name not in kept or (again and kept[name].outcome not in RIGHT)]
    started = time.monotonic()
    sitting.preload()
    for number, name in enumerate(wanted, 1):
        if time.monotonic() - started > seconds:
            break
        kept[name] = row = sit(name)
        click.echo(f"{number}/{len(wanted)} {row.outcome:12} {row.seconds:5} s  {name}: {row.first}", err=True)
        if answers:
            files.write(answers, json.dumps({key: asdict(row) for key, row in kept.items()}, indent=1))
    if out:
        Path(out).write_text(page(list(kept.values()), {name: version(name) for name in LIBRARIES}), encoding="utf-8")
    wrong = sum(row.outcome not in RIGHT for row in kept.values())
    click.echo(f"{len(kept)} of {len(RULES)} pairs, {wrong} not right", err=True)


if __name__ == "__main__":
    sys.exit(main())

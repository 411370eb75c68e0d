"""Sit the gallery: the truth of every pair, what `parity compare` says to it, what that costs, and the page.

    make gallery            (or, in its environment: python -m exams.gallery.run --out docs/gallery.md)

Answers can be kept (--answers FILE) and gone on with: pairs that are in the file are not run again,
except those named by --only.
"""

from __future__ import annotations

import ast
import json
import pickle
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import click

from exams.gallery import faults, sitting, truth
from exams.gallery.plain import plain
from exams.gallery.rules import OWN_TWINS, RULES
from parity import files
from parity.fixes.edit import applied
from parity.trace.source import Site, Statement, statements_around

HERE = Path(__file__).parent
LIBRARIES = ("torch", "paddlepaddle", "transformers", "paddlenlp", "timm", "paddleclas", "torchvision")
SAYS = {0: "same", 1: "differs"}
RIGHT = {"right"}
REAL_SIZE = {*OWN_TWINS, "resnet50_224", "bert_base", "vit_b16"}
OPTIONS = ("--quick",)
FAULT_OPTIONS = ("--quick", "--lane", "float64", "--no-train")

HEAD = """# The gallery

Written by `make gallery` ({versions}).

Public models that exist in both worlds, as their libraries offer them: `transformers` against PaddleNLP, `timm` against
PaddleClas, torchvision against `paddle.vision`. Configurations are small but in the second table, weights random. The *truth* of
a pair is found without the harness (`exams/gallery/truth.py`): weights are copied by a rule written by hand
(`exams/gallery/rules.py`), both models are run in float64 and eval mode, and the largest deviation of an output, relative to its
largest value, is in the column *apart*. Where a pair differs in truth, `truth.py` gives the reason; in train mode nothing is
measured, and the reason stands on a reading of the source. Some of these were looked for only after parity had said so. Then
`parity compare --quick FILE` is asked, in a process of its own; answers that were kept may be of several commits. Pairs whose
measured truth is not the one declared are not sat.

*lines*: of the pair file (`exams/gallery/pairs/`), neither blank nor its docstring. *CPU* and *MB*: of the whole command after its
imports; in brackets, as multiples of a plain forward and backward pass of both models, in eval and train mode, float32, without
the harness. Plain runs of models this small take a tenth of a second: the ratio says what a user of a small model waits for.
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


@dataclass(frozen=True)
class FaultRow:
    """One injected fault. module: the first place lies in the class that was changed; line: in the statement that was changed, or
    on a line beside the one that was; or on a line of its class that reads what the changed one keeps in the constructor."""

    pair: str
    kind: str
    place: str
    new: str
    said: str
    module: bool
    line: bool
    cause: str
    first: str
    seconds: float

    @property
    def is_read_there(self) -> bool:
        """Whether the changed line keeps something in the constructor, and the place is a line that reads it."""
        lines = [int(place.rpartition(":")[2] or 0) for place in (self.place, self.first)]
        return self.line and self.new.startswith("self.") and abs(lines[0] - lines[1]) > 1


class Unclear(Exception):
    """The truth of a pair cannot be had, or is not what it was thought to be."""


def sit(name: str) -> Row:
    """The truth, the answer, the cost."""
    file = sitting.file_of(name)
    title = ast.get_docstring(ast.parse(file.read_text())).rstrip(".")
    told = sitting.forked(lambda: _write_deviation(name))
    apart = _number(told.said)
    if apart is not None and not truth.holds(name, apart):
        raise Unclear(f"{name}: {apart:.1e} apart, but expected to be {truth.expected(name)}: one of the two is wrong")
    bare = sitting.forked(lambda: plain(name))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        ended = sitting.forked(sitting.command("compare", str(file), *OPTIONS, "--json", str(report)))
        first = _first(json.loads(report.read_text())) if report.exists() else ended.said.strip().rpartition("\n")[2]
    said = SAYS.get(ended.code, "undecided" if ended.code == 2 and report_was_written(ended.said) else "crash")
    return Row(name, title, lines_of(file), apart, truth.expected(name), said, first,
               round(ended.seconds, 1), round(bare.seconds, 2), round(ended.megabytes), round(bare.megabytes))


def is_same_in_eval(name: str, row: Row) -> bool:
    """Whether parity has no objection to a pair in the mode that faults are sat in, so that what it says then is of the fault."""
    if name not in truth.DIFFERS_IN_TRAIN:
        return row.truth == "same"
    return sitting.forked(sitting.command("compare", str(sitting.file_of(name)), *FAULT_OPTIONS)).code == 0


def sit_fault(fault: faults.Fault) -> FaultRow:
    """Whether a fault is found, and where. Eval mode in float64: what is asked is the place, not whether float32 hides it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = sitting.command("compare", str(sitting.file_of(fault.pair)), *FAULT_OPTIONS, "--json", str(report))

        def act() -> int:
            with applied((fault.edit,)):
                return command()
        ended = sitting.forked(act)
        first = json.loads(report.read_text())["first"] if report.exists() else None
    twin = (first or {}).get("twin", {})
    here = twin.get("file") and Path(twin["file"]).name == Path(fault.file).name
    return FaultRow(fault.pair, fault.kind, f"{Path(fault.file).name}:{fault.line}", fault.edit.new.strip(),
                    SAYS.get(ended.code, "crash"), bool(here and fault.span[0] <= twin["line"] <= fault.span[1]),
                    bool(here and _is_beside(fault, twin["line"])), (first or {}).get("cause") or "",
                    f"{Path(twin['file']).name}:{twin['line']}" if twin.get("line") else "", round(ended.seconds, 1))


def _is_beside(fault: faults.Fault, line: int) -> bool:
    """Whether a line is the fault's or its neighbour, or of the statement that was changed."""
    if abs(line - fault.line) <= 1:
        return True
    around = statements_around(Site(fault.file, line))
    found = around.at(line) if around is not None else None
    return found is not None and (found.first <= fault.line <= found.last or _is_read(fault, found))


def _is_read(fault: faults.Fault, place: Statement) -> bool:
    """Whether a statement reads what the changed line keeps in the constructor of its class (`self.scale = ...`)."""
    kept = re.match(r"\s*(self\.\w+) = ", fault.edit.new)
    return kept is not None and kept[1] in place.own and fault.span[0] <= place.first <= fault.span[1]


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
        raise Unclear(f"the truth cannot be had:\n{said}")
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


def faults_of(name: str, count: int) -> list[faults.Fault]:
    """Chosen in a child: what is tried on the way leaves nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / "faults.pickle"
        sitting.forked(lambda: chosen.write_bytes(pickle.dumps(faults.faults(name, count))) and 0)
        return pickle.loads(chosen.read_bytes()) if chosen.exists() else []


def fault_lines(rows: Sequence[FaultRow]) -> list[str]:
    """The part of the page about injected faults."""
    if not rows:
        return []
    counts = {what: sum(bool(getattr(row, what)) for row in rows) for what in ("module", "line", "cause")}
    lines = ["", "## Faults put into the twins", "",
             "One line of the twin's library is changed in memory (`exams/gallery/faults.py`: an epsilon, a sign, an activation, a "
             "scale ...); a fault counts as one where the truth says that the outputs changed. Pairs that differ in train mode "
             "alone are asked as well, if parity has nothing to say to them in eval mode. "
             f"`parity compare {' '.join(FAULT_OPTIONS)}`.", "",
             f"{len(rows)} faults in {len({row.pair for row in rows})} pairs: "
             f"{sum(row.said == 'differs' for row in rows)} found; the first place lies in the class that was changed in "
             f"{counts['module']}, in the statement that was changed, or on a line beside the one that was, in {counts['line']}; a "
             f"cause is named in {counts['cause']}. In {sum(row.is_read_there for row in rows)} the changed line keeps something "
             "in a constructor (`self.scale = ...`), and the place is the line of its class that reads it, which counts as right. "
             "Where both sides keep a number under one name, the place is the line that decides on it, in whatever class: that of "
             "a `num_heads=` that was handed down is where it is written.", "",
             "| pair | fault | at | parity says | first place | module | line |", "|---|---|---|---|---|---|---|"]
    return lines + [f"| {row.pair} | {row.kind} | {row.place} | {row.said} | {row.first} | {'yes' if row.module else 'no'} | "
                    f"{'yes' if row.line else 'no'} |" for row in rows]


def table(rows: Sequence[Row]) -> list[str]:
    """The pairs, a line each."""
    lines = ["| pair | lines | apart | truth | parity says | | CPU s | MB |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        apart = "no rule" if row.apart is None else f"{row.apart:.0e}"
        is_so = f"{row.truth} in train mode" if row.name in truth.DIFFERS_IN_TRAIN else row.truth
        lines.append(f"| {row.title} | {row.lines} | {apart} | {is_so} | {row.said} | {row.outcome} | "
                     f"{row.seconds:.0f} ({row.seconds / max(row.plain_seconds, 0.01):.0f}x) | "
                     f"{row.megabytes:.0f} ({row.megabytes / row.plain_megabytes:.1f}x) |")
    return lines


def page(rows: Sequence[Row], versions: Mapping[str, str], injected: Sequence[FaultRow] = ()) -> str:
    """The published page."""
    rows = sorted(rows, key=lambda row: (row.title.partition(": ")[2], row.name))
    right = sum(row.outcome in RIGHT for row in rows)
    short = sum(row.lines <= 10 for row in rows)
    lines = [HEAD.format(versions=", ".join(f"{name} {number}" for name, number in versions.items())),
             f"{len(rows)} pairs: {right} right, {len(rows) - right} not. {short} pair files have 10 lines or fewer.", "",
             *table([row for row in rows if row.name not in REAL_SIZE])]
    if large := [row for row in rows if row.name in REAL_SIZE]:
        lines += ["", "## At real size", "",
                  "The same question at the sizes that people train: U-GAT-IT and the systems that it is measured against "
                  "([the-table.md](the-table.md)) at their official widths and crops, one picture, and three public models.",
                  "", *table(large)]
    lines += ["", "## Real differences between the libraries", "",
              *(f"- {row.title}: {truth.reason(row.name)}. parity: {row.first or row.said}."
                for row in rows if row.truth == "differs")]
    wrong = [row for row in rows if row.outcome not in RIGHT]
    lines += ["", "## Not right yet", "", *(f"- {row.title}: {row.outcome}. {row.first}" for row in wrong),
              *([] if wrong else ["None."])]
    left = sorted(set(RULES) - {row.name for row in rows})
    if left:
        lines += ["", "## Not sat", "", f"These have a pair file and a rule, and were not run for this page: {', '.join(left)}."]
    return "\n".join([*lines, *fault_lines(injected)]) + "\n"


@click.command(help=__doc__)
@click.option("--out", metavar="FILE", help="Write the page here.")
@click.option("--answers", metavar="FILE", help="Keep the answers here, and go on from what is there.")
@click.option("--only", multiple=True, metavar="NAME", help="These pairs; they are run again.")
@click.option("--again", is_flag=True, help="Run again what was not right.")
@click.option("--seconds", type=click.FloatRange(0), default=float("inf"), help="Stop after so long; go on with --answers.")
@click.option("--faults", "count", type=click.IntRange(0), default=0, help="So many faults in each right pair.")
def main(out: str | None, answers: str | None, only: Sequence[str], again: bool, seconds: float, count: int) -> None:
    kept: dict[str, Row] = {}
    injected: dict[str, FaultRow] = {}
    if answers and Path(answers).exists():
        known = json.loads(Path(answers).read_text())
        kept = {key: Row(**row) for key, row in known["pairs"].items()}
        injected = {key: FaultRow(**row) for key, row in known["faults"].items()}
    started = time.monotonic()

    def save() -> bool:
        """Keep what there is; whether time is left."""
        if answers:
            files.write(answers, json.dumps({"pairs": {key: asdict(row) for key, row in kept.items()},
                                             "faults": {key: asdict(row) for key, row in injected.items()}}, indent=1))
        return time.monotonic() - started < seconds
    wanted = [name for name in only or RULES
              if name not in kept or (again and kept[name].outcome not in RIGHT) or (only and not count)]
    sitting.preload()
    for number, name in enumerate(wanted, 1):
        try:
            kept[name] = row = sit(name)
            click.echo(f"{number}/{len(wanted)} {row.outcome:12} {row.seconds:5} s  {name}: {row.first}", err=True)
        except Unclear as unclear:
            click.echo(f"{number}/{len(wanted)} {unclear}", err=True)
        if not save():
            break
    asked = (only or [name for name in kept if name not in REAL_SIZE]) if count else ()
    for name in [name for name in asked if kept[name].outcome in RIGHT and is_same_in_eval(name, kept[name])]:
        for number, fault in enumerate(faults_of(name, count)):
            if f"{name} {number}" not in injected and save():
                injected[f"{name} {number}"] = row = sit_fault(fault)
                click.echo(f"{row.said:8} {'module' if row.module else '':7} {'line' if row.line else '':5} "
                           f"{row.seconds:5} s  "
                           f"{name}: {row.kind} at {row.place}, said {row.first}", err=True)
                save()
    if out:
        Path(out).write_text(page(list(kept.values()), {name: version(name) for name in LIBRARIES}, list(injected.values())),
                             encoding="utf-8")
    wrong = sum(row.outcome not in RIGHT for row in kept.values())
    click.echo(f"{len(kept)} of {len(RULES)} pairs, {wrong} not right; {len(injected)} faults", err=True)


if __name__ == "__main__":
    sys.exit(main())

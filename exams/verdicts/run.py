"""Sit the exam of verdicts: every pair through the public command, and the page that says how it went.

    python -m exams.verdicts.run --out docs/verdict-exam.md

Answers can be kept (--answers FILE) and gone on with: pairs that are in the file are not run again, except those named by --only.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from exams.verdicts.program import Pair
from exams.verdicts.programs import everything
from exams.verdicts.sitting import sit
from parity import files

# options of `parity compare`; a training is followed in the default mode only
MODES = {"default": (), "quick": ("--quick",), "float64": ("--lane", "float64"), "train": ("--lane", "float64", "--no-eval")}
SAME, DIFFERS = ("right", "false alarm", "undecided", "crash"), ("placed", "found", "false green", "undecided", "crash")
WRONG = {"false alarm", "false green", "undecided", "crash"}

HEAD = """# The exam of verdicts

Written by `python -m exams.verdicts.run --out docs/verdict-exam.md` ({versions}).

Small pairs of a torch program and a Paddle port (`exams/verdicts/programs/`), written from the outside, as users write them: one
right port of each, and ports with one mistake. Each label is checked without the harness (`python -m exams.verdicts.check`): both
programs are run in float64 with the same weights, inputs and random numbers. *Same*: all outputs, gradients, updates and state
agree to 1e-9, or to what a [known difference of the frameworks](differences.md) makes of it, which the pair names. *Differs*:
something is off by 1e-6 or more. Each pair then goes through `parity compare` or `parity steps --steps 3` in a process of its own.

*placed*: the first divergence is at the mistake's line, or where what that line builds is used; *found*: it differs, and another
line is named. *undecided* (exit 2) is neither a green nor an alarm.
"""


@dataclass(frozen=True)
class Row:
    """One answer, as it is kept."""

    pair: str
    area: str
    answer: str
    mode: str
    outcome: str
    said: str
    seconds: float


def rows_of(pairs: Sequence[Pair], mode: str, kept: dict[str, Row], save) -> None:
    """Sit the pairs that are not kept yet; `save` is called after each."""
    for number, pair in enumerate(pairs, 1):
        if not pair.program.training or mode == "default":
            options = [option for option in MODES[mode] if option != "--no-eval" or "modes=" not in pair.program.options]
            given = sit(pair, options)
            row = Row(pair.name, pair.program.area, pair.answer, mode, given.outcome, given.said, round(given.seconds, 1))
            kept[f"{mode} {pair.stem}"] = row
            save()
            mark = "  " if row.outcome not in WRONG else "! "
            click.echo(f"{mark}{number}/{len(pairs)} {row.outcome:12} {row.seconds:5} s  {row.area} | {row.pair}", err=True)


def table(rows: Sequence[Row]) -> list[str]:
    """Outcomes by area, Markdown."""
    areas = sorted({row.area for row in rows})
    lines = ["| area | same | " + " | ".join(SAME) + " | differs | " + " | ".join(DIFFERS) + " |",
             "|---" * (3 + len(SAME) + len(DIFFERS)) + "|"]
    for area in [*areas, "all"]:
        cells = [f"**{area}**" if area == "all" else area]
        for answer, outcomes in (("same", SAME), ("differs", DIFFERS)):
            count = Counter(row.outcome for row in rows if row.answer == answer and area in (row.area, "all"))
            cells += [str(count.total()), *(str(count[outcome]) for outcome in outcomes)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def drawn_section(drawn: Mapping[str, Any]) -> list[str]:
    """What came of the healthy draws, Markdown."""
    verdicts = Counter(drawn["verdicts"])
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return ["## Healthy programs with dropout on, drawn at random", "",
            "Stacks of layers of a drawn order, width, batch and rate, in train mode, both lanes (`python -m exams.verdicts.draws`)"
            f". Of {verdicts.total()} draws: {said}; {verdicts.total() - verdicts['same']} false alarms. Programs in which there "
            "is a layer that draws: " + ", ".join(f"{kind} {count}" for kind, count in sorted(drawn["kinds"].items())) + ".",
            *(["", drawn["note"]] if "note" in drawn else []), ""]


def page(kept: Mapping[str, Row], versions: Mapping[str, str],
         drawn: Mapping[str, Any] | None = None) -> str:
    """The published page. drawn: what `exams.verdicts.draws` has kept."""
    rows = list(kept.values())
    full = [row for row in rows if row.mode == "default"]
    wrong = [row for row in rows if row.outcome in WRONG]
    lines = [HEAD.format(versions=", ".join(f"{name} {version}" for name, version in versions.items())),
             f"{len(full)} pairs in the default command, {len({key.split()[1] for key in kept})} in any mode, of "
             f"{len(everything())} in the exam; what was not sat is in no table. Answers that were kept "
             "(`--answers FILE`) may be of several commits: a wrong one may have been mended since.", "",
             "## By area, in the default command", "", *table(full), ""]
    for mode in MODES:
        of_mode = [row for row in rows if row.mode == mode]
        if mode != "default" and of_mode:
            lines += [f"## A sample with {' '.join(MODES[mode])}", "", *table(of_mode), ""]
    lines += drawn_section(drawn) if drawn else []
    lines += ["## Wrong answers", "", *(f"- {row.area}, {row.pair} ({row.mode}): {row.outcome}" for row in wrong)]
    lines += [*([] if wrong else ["None."]), "", "## All answers", "",
              "| area | pair | is | mode | outcome | s |", "|---|---|---|---|---|---|"]
    for row in rows:
        name = row.pair.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {row.area} | {name} | {row.answer} | {row.mode} | {row.outcome} | {row.seconds} |")
    return "\n".join(lines) + "\n"


def _versions() -> dict[str, str]:
    from importlib.metadata import version
    return {"paddle": version("paddlepaddle"), "torch": version("torch"), "numpy": version("numpy"),
            "python": ".".join(map(str, sys.version_info[:3]))}


@click.command(help=__doc__)
@click.option("--out", metavar="FILE", help="Write the page here; without it, to standard output.")
@click.option("--answers", metavar="FILE", help="Keep the answers here, and go on from what is there.")
@click.option("--only", multiple=True, metavar="TEXT", help="Pairs whose area or name contains this; they are run again.")
@click.option("--again", is_flag=True, help="Run again what was answered wrong.")
@click.option("--draws", metavar="FILE", help="What `exams.verdicts.draws` has kept, for the page.")
@click.option("--mode", type=click.Choice(list(MODES)), default="default", show_default=True)
@click.option("--every", type=click.IntRange(1), default=1, help="Every so-manieth pair only: a sample.")
@click.option("--seconds", type=click.FloatRange(0), default=float("inf"), help="Stop after so long; go on later with --answers.")
def main(out: str | None, answers: str | None, draws: str | None, only: Sequence[str], again: bool, mode: str, every: int,
         seconds: float) -> None:
    kept: dict[str, Row] = {}
    if answers and Path(answers).exists():
        kept = {key: Row(**row) for key, row in json.loads(Path(answers).read_text()).items()}
    pairs = everything()[::every]
    if only:
        pairs = [pair for pair in pairs if any(text in f"{pair.program.area} {pair.name}" for text in only)]
    elif again:
        pairs = [pair for pair in pairs if (row := kept.get(f"{mode} {pair.stem}")) and row.outcome in WRONG]
    else:
        pairs = [pair for pair in pairs if f"{mode} {pair.stem}" not in kept]
    started = time.monotonic()

    def save() -> None:
        if answers:
            files.write(answers, json.dumps({key: asdict(row) for key, row in kept.items()}, indent=1))
    for pair in pairs:
        if time.monotonic() - started > seconds:
            break
        rows_of([pair], mode, kept, save)
    text = page(kept, _versions(), json.loads(Path(draws).read_text()) if draws else None)
    if out:
        Path(out).write_text(text, encoding="utf-8")
    wrong = sum(row.outcome in WRONG for row in kept.values())
    click.echo(f"{len(kept)} answers, {wrong} wrong; {len(pairs)} pairs were to be run", err=True)


if __name__ == "__main__":
    main()

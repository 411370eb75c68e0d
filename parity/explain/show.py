"""An explanation as terminal text, JSON and one HTML page."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.explain.explanation import Explanation, Part
from parity.messages import Message, say, several, term
from parity.report.page import page
from parity.report.terminal import COLOURS, certificate, whole
from parity.report.words import short, versions
from parity.steps.report import strict
from parity.verdict.findings import site_json


def show(console: Console, explanation: Explanation) -> None:
    """The answer in a sentence, the table of the lines, each with what stands there and what is right, and how it was measured."""
    console.print(Text(str(explanation.sentence()), style=COLOURS[explanation.verdict]), soft_wrap=True)
    if explanation.parts:
        console.print()
        whole(console, _table(explanation))
        console.print(Text(f"\n{legend(explanation)}", style="dim"), soft_wrap=True)
    for part in explanation.ranked:
        console.print(Text(f"\n{part.number}  {part.line}", style="bold"), soft_wrap=True)
        if part.reference is not None:
            console.print(Text(f"   reference  {part.reference}   {part.reference.text}"), soft_wrap=True)
        for replaced in part.replaced:
            console.print(Text(_indented(f"{replaced.site}", replaced.wrong, replaced.right)), soft_wrap=True)
        if hidden := hides(part):
            console.print(Text(f"   {hidden}"), soft_wrap=True)
        if part.effect is not None and part.effect.failure:
            console.print(Text(f"   alone it breaks the twin off: {part.effect.failure}"), soft_wrap=True)
    if not explanation.parts and explanation.before.places:
        console.print(Text(f"\n{explanation.before.places[0].said}"), soft_wrap=True)
    console.print(Text(f"\n{certificate(explanation.circumstances, versions())}", style="dim"), soft_wrap=True)


def _indented(site: str, wrong: str, right: str) -> str:
    lines = [f"   twin       {site}", *(f"     - {line}" for line in wrong.splitlines()),
             *(f"     + {line}" for line in right.splitlines())]
    return "\n".join(lines)


def _table(explanation: Explanation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("line", no_wrap=True)
    columns, rows = figures(explanation)
    for column in columns:
        table.add_column(str(column), justify="right", no_wrap=True)
    for part, row in zip(explanation.ranked, rows, strict=True):
        table.add_row(f"{part.number}  {part.line}", *map(str, row))
    return table


def figures(explanation: Explanation) -> tuple[list[Message], list[list[str]]]:
    """The columns of the table, and a row for each line, the largest effect first."""
    if explanation.steps is None:
        all_, _ = explanation.differing or (0, 0)
        return ([say("alone wrong:\nvalues that differ"), say("alone righted:\nvalues that agree again")],
                [[str(part.values[1]), f"{part.values[0]} / {all_}"] for part in explanation.ranked if part.values is not None])
    columns = [say("alone wrong:\neffect on a loss"), say("alone righted:\nit changes by"), say("of the others\ntogether"),
               say("first update,\ncosine"), say("above rounding\nin float64"), say("above rounding\nin float32")]
    rows = []
    for part in explanation.ranked:
        effect = part.effect
        others = term(effect.masked) if effect.masked and not part.harmless else "–"
        seen = (", ".join(effect.seen[lane]) or "–" for lane in ("float64", "float32"))
        rows.append([short(effect.alone), short(effect.missing), others, f"{effect.cosine:.4f}", *seen])
    return columns, rows


def legend(explanation: Explanation) -> Message:
    """How the figures of the table were measured."""
    if explanation.steps is None:
        all_, compared = explanation.differing or (0, 0)
        return say("Values of one forward and backward in float64, in which both sides feed themselves: {all} of {compared} differ "
                   "in the twin as it is.", all=all_, compared=compared)
    return say("{steps} training steps in float64. Effect: the largest difference of a loss, relative, of the twin in which this "
               "line alone is wrong from that in which none is; rounding alone makes {noise} in float64, {single} in float32. As "
               "it is the twin's losses are {total} from the reference's, with all lines righted {left}.", steps=explanation.steps,
               noise=short(explanation.noises["float64"].largest), single=short(explanation.noises["float32"].largest),
               total=short(explanation.total), left=short(explanation.left))


def hides(part: Part) -> Message | None:
    """Which lines hide it."""
    if not part.hidden_by:
        return None
    return several("hidden at first: found only once line {lines} was righted",
                   "hidden at first: found only once lines {lines} were righted", len(part.hidden_by),
                   lines=", ".join(map(str, part.hidden_by)))


def to_json(explanation: Explanation) -> str:
    """The explanation as a JSON document, strict: infinities are the string "inf"."""
    document = {
        "verdict": explanation.verdict, "sentence": str(explanation.sentence()), "complete": explanation.complete,
        "steps": explanation.steps, "lines": [_part(part) for part in explanation.ranked],
        "total": explanation.total, "left": explanation.left,
        "noise": {lane: noise.largest for lane, noise in explanation.noises.items()},
        "values": None if explanation.differing is None else dict(zip(("differ", "compared"), explanation.differing, strict=True)),
        "before": explanation.before.said, "after": explanation.after.said, "nearest": explanation.nearest,
        "seconds": round(explanation.seconds, 1), **explanation.circumstances.to_json(), "versions": versions(),
    }
    return json.dumps(strict(document), indent=1, allow_nan=False) + "\n"


def _part(part: Part) -> dict[str, Any]:
    effect = part.effect
    return {
        "number": part.number, "found": part.found, "reference": site_json(part.reference), "twin": site_json(part.twin),
        "changes": [{**site_json(replaced.site), "wrong": replaced.wrong, "right": replaced.right} for replaced in part.replaced],
        "hidden_by": list(part.hidden_by), "harmless": part.harmless,
        "effect": None if effect is None else {
            "alone": effect.alone, "missing": effect.missing, "by_the_others": effect.masked, "cosine": effect.cosine,
            "seen": {lane: list(names) for lane, names in effect.seen.items()}, "failure": effect.failure},
        "values": None if part.values is None else dict(zip(("agree_again", "differ_alone"), part.values, strict=True))}


def to_html(explanation: Explanation) -> str:
    """One page: the answer, the table, the lines."""
    columns, rows = figures(explanation) if explanation.parts else ([], [])
    return page("lines.html", title=say("Why {title} differs", title=explanation.title), verdict=explanation.verdict,
                sentence=explanation.sentence(), columns=columns, rows=list(zip(explanation.ranked, rows, strict=True)),
                parts=[(part, hides(part)) for part in explanation.ranked],
                legend=legend(explanation) if explanation.parts else None,
                first=explanation.before.places[0].said if explanation.before.places and not explanation.parts else None,
                made=explanation.circumstances)

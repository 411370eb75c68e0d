"""A diagnosis for readers: terminal, JSON, one HTML page."""

from __future__ import annotations

import io
import json
import platform
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from parity.doctor.finding import Finding
from parity.messages import Message, say, several, together

if TYPE_CHECKING:
    from parity.doctor.diagnosis import Diagnosis

_STYLES = {"error": "bold red", "warning": "yellow"}


def sentence(diagnosis: Diagnosis) -> Message:
    """The verdict in one line."""
    counts = []
    if diagnosis.errors:
        counts.append(several("{count} finding", "{count} findings", len(diagnosis.errors)))
    if diagnosis.warnings:
        counts.append(several("{count} unusual thing", "{count} unusual things", len(diagnosis.warnings)))
    if diagnosis.expected:
        counts.append(several("{count} declared thing", "{count} declared things", len(diagnosis.expected)))
    iterations = several("{count} iteration", "{count} iterations", diagnosis.iterations)
    return say("{counts} in {iterations}", counts=together(counts or [say("no finding")]), iterations=iterations)


def show(console: Console, diagnosis: Diagnosis) -> None:
    for number, found in enumerate((*diagnosis.errors, *diagnosis.warnings)):
        console.print(_text(found, first=number == 0), soft_wrap=True)
    for found in diagnosis.expected:
        console.print(Text(f"declared: {found.message}", style="dim"), soft_wrap=True)
    style = "red" if diagnosis.errors else "yellow" if diagnosis.warnings else "green"
    console.print(Text(sentence(diagnosis), style=style), soft_wrap=True)


def _text(found: Finding, first: bool) -> Text:
    head = "unusual, on purpose? " if found.severity == "warning" else ""
    text = Text.assemble((f"{head}{found.message}", _STYLES[found.severity] if first else ""), (f"   [{found.id}]", "dim"))
    if found.site:
        text.append(f"\n  where     {found.site}   {found.site.text}")
    if found.evidence:
        text.append(f"\n  evidence  {found.evidence}")
    text.append(f"\n  remedy    {found.remedy}")
    if found.iteration:
        text.append(f"\n  seen      in iteration {found.iteration}", style="dim")
    if found.severity == "warning":
        text.append(f'\n  declare   expect=["{found.id}:{found.about}"]', style="dim")
    return text.append("\n")


def to_text(diagnosis: Diagnosis) -> str:
    out = io.StringIO()
    show(Console(file=out, width=140), diagnosis)
    return out.getvalue().rstrip()


def to_json(diagnosis: Diagnosis) -> str:
    """`findings`: errors and warnings with `severity`; `counts`: errors apart from warnings and from what was declared."""
    document = {
        "verdict": "finding" if diagnosis.errors else "healthy",
        "iterations": diagnosis.iterations,
        "counts": {"errors": len(diagnosis.errors), "warnings": len(diagnosis.warnings), "expected": len(diagnosis.expected)},
        "findings": [found.to_json() for found in diagnosis.findings],
        "versions": versions(),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def versions() -> dict[str, str]:
    """What ran."""
    held = {"paddle-parity": "parity", "torch": "torch", "paddle": "paddle", "numpy": "numpy"}
    found = {name: getattr(sys.modules.get(package), "__version__", None) for name, package in held.items()}
    return {**{name: version for name, version in found.items() if version}, "python": platform.python_version()}


def to_html(diagnosis: Diagnosis, target: str | None = None) -> str:
    """One page that needs nothing else. target: what was named to be watched."""
    from parity.report.page import page  # not at the top: it needs what is compared, a training step alone does not
    title = say("Doctor: {target}", target=target) if target else say("Doctor")
    return page("doctor.html", title=title, verdict="diverged" if diagnosis.errors else "same",
                sentence=sentence(diagnosis), errors=diagnosis.errors, warnings=diagnosis.warnings, expected=diagnosis.expected,
                versions=versions())

"""What came of two data pipelines, on the terminal and as a picture."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.text import Text

from parity.data.findings import DataSummary, Discrepancy
from parity.numbers import pictures
from parity.report.terminal import COLOURS, NAMED, certificate, more
from parity.report.words import versions

_LABELS = ("reference", "twin", "difference")


def show(console: Console, summary: DataSummary, *, listed: int | None = NAMED) -> None:
    """The verdict in a sentence; where the first finding of each kind is; how much was compared. listed: how many findings,
    None: all."""
    console.print(Text(summary.sentence(), style=COLOURS[summary.verdict]), soft_wrap=True)
    distinct = _distinct(summary.findings)
    for finding in distinct[:listed]:
        _finding(console, finding)
    more(console, len(distinct[listed or len(distinct):]))
    counted = ", ".join(f"{count} {kind}" + (f" ({summary.odd[kind]} differ)" if summary.odd.get(kind) else "")
                        for kind, count in summary.compared.items() if count)
    console.print(Text(f"\ncompared: {counted}"), soft_wrap=True)
    for remark in summary.remarks:
        console.print(Text(f"remark: {remark}", style="yellow"), soft_wrap=True)
    if summary.circumstances is not None:
        console.print(Text(f"\n{certificate(summary.circumstances, versions())}", style="dim"), soft_wrap=True)


def _distinct(findings: list[Discrepancy]) -> list[Discrepancy]:
    """One of each kind, step and cause."""
    found: dict[tuple, Discrepancy] = {}
    for finding in findings:
        found.setdefault((finding.kind, finding.step, finding.cause), finding)
    return list(found.values())


def _finding(console: Console, finding: Discrepancy) -> None:
    console.print(Text(f"\n{finding.place}: {finding.what}", style="bold"), soft_wrap=True)
    if finding.step:
        console.print(Text(f"  first by    {finding.step}"), soft_wrap=True)
    for label, site in zip(("reference", "twin"), finding.sites, strict=True):
        if site is not None:
            console.print(Text(f"  {label:<12}{site}   {site.text}"), soft_wrap=True)
    if finding.before:
        console.print(Text(f"  the same    up to {finding.before}"), soft_wrap=True)
    if finding.cause:
        console.print(Text(f"  cause       {finding.cause}"), soft_wrap=True)


def picture(summary: DataSummary) -> bytes | None:
    """A PNG: the first picture that differs on both sides, and their difference; None where nothing that differs is a picture."""
    finding = next((one for one in summary.findings if one.pictures is not None), None)
    if finding is None:
        return None
    reference, twin = (_shown(array) for array in finding.pictures)
    figure = Figure(figsize=(9.0, 3.6), dpi=110, facecolor="white")
    axes = figure.subplots(1, 3)
    figure.text(0.012, 0.95, f"{finding.place}: {finding.step or 'as handed out'}"[:110], size=11, weight="bold", va="center")
    third = np.abs(reference - twin) if reference.shape == twin.shape else None
    largest = float(third.max()) if third is not None else 0.0
    for axis, label, array in zip(axes, _LABELS, (reference, twin, third), strict=True):
        axis.set_axis_off()
        if array is None:
            axis.text(0.5, 0.5, "of other sizes", ha="center", va="center", transform=axis.transAxes)
            continue
        if label == "difference":
            label, array = f"{label}, at most {largest * pictures.GREY:.3g} of 255", array / (largest or 1.0)
        axis.set_title(label, size=10)
        axis.imshow(array, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _shown(array: np.ndarray) -> np.ndarray:
    """Channels last, three or none, numbers in [0, 1]: of bytes by 255, of others as they are where they fit, else by their
    range."""
    array = pictures.channels_last(array)
    array = array[..., :3] if array.ndim == 3 and array.shape[-1] >= 3 else array[..., 0] if array.ndim == 3 else array
    low, high = float(array.min()), float(array.max())
    array = array.astype(np.float64)
    if low >= 0 and high <= 1:
        return array
    if low >= 0 and high <= pictures.GREY:
        return array / pictures.GREY
    return (array - low) / ((high - low) or 1.0)

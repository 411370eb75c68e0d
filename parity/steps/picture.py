"""The picture of a training that was followed: the losses of both sides, and how far apart they are beside rounding."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from parity.languages import NAMES, SOURCE, plain
from parity.messages import say, term, together
from parity.numbers.noise import M
from parity.report.words import place
from parity.steps.figures import difference, envelope, leaves, totals, when
from parity.steps.result import Curve
from parity.steps.runner import Followed

if TYPE_CHECKING:
    from parity.steps.summary import Summary

INK, SOFT, GRID = "#1c2430", "#5b6675", "#e3e7ec"
REFERENCE, TWIN, NOISE, BAD = "#2f6fb3", "#e07b00", "#9fc5ae", "#b3261e"
WIDTH, TOP, PANEL, DPI = 11.0, 1.5, 2.9, 110

Said = Callable[[str], str]
"""A message -> its text in the language of the picture."""


def draw(summary: Summary) -> bytes:
    """The picture as a PNG: one column a loss; losses above, below them the differences of each lane."""
    return _written(_figure(summary, partial(plain, language=SOURCE)), format="png")


def drawings(summary: Summary) -> dict[str, bytes]:
    """The picture for a page: language -> an SVG. Its words stay words: the reader's browser has the letters for them."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "parity"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # here, where they are only measured
        return {language: _written(_figure(summary, partial(plain, language=language)), format="svg", transparent=True,
                                   metadata={"Date": None})
                for language in NAMES}


def _written(figure: Figure, **options: object) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, **options)
    return out.getvalue()


def _figure(summary: Summary, said: Said) -> Figure:
    names = list(totals(summary.followed[0].result))
    height = TOP + PANEL * (1 + len(summary.followed))
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    axes = figure.subplots(1 + len(summary.followed), max(1, len(names)), squeeze=False, sharex=True)
    figure.subplots_adjust(left=0.085, right=0.985, top=1 - 1.02 / height, bottom=0.95 / height, hspace=0.2, wspace=0.2)
    _title(figure, summary, height, said)
    last = max(each.result.steps for each in summary.followed)
    for column, name in enumerate(names):
        _losses(axes[0][column], name, totals(summary.followed[0].result)[name], summary.lanes[0], said)
        for row, each in enumerate(summary.followed, 1):
            _differences(axes[row][column], each, totals(each.result)[name], said)
            axes[row][column].set_ylabel(said(say("relative difference, {lane}", lane=each.lane)) if column == 0 else "")
        axes[-1][column].set_xlabel(said(say("step")))
        for line in axes[:, column]:
            line.set_xlim(0.5, max(last, 2) + 0.5)
    for line in axes.flat:
        dress(line)
        line.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for row, each in enumerate(summary.followed):
        first = each.result.report.first
        if first is not None:
            for line in axes[row + 1] if row else axes[:2].flat:
                line.axvline(max(1, first.key.step), color=BAD, lw=1.2, ls=(0, (4, 3)), zorder=1,
                             label=said(say("first divergence")))
    _legend(figure, axes, height)
    return figure


def _title(figure: Figure, summary: Summary, height: float, said: Said) -> None:
    first = summary.first
    verdict = said(say("The same training") if first is None else say(
        "Diverged {when}: {stage}, {where}", when=when(first), stage=term(first.key.stage), where=place(first)))
    if len(verdict) > 88:
        verdict = verdict[:87] + "…"
    figure.text(0.012, 1 - 0.33 / height, verdict, color=INK if first is None else BAD, size=14, weight="bold", va="center")
    about = [say("PyTorch and Paddle, {run}", run=summary.run)]
    if summary.faults:
        about.append(say("injected into the twin: {faults}", faults=", ".join(summary.faults)))
    figure.text(0.012, 1 - 0.62 / height, said(together(about, "; ")), color=SOFT, size=10.5, va="center")


def _losses(axes: Axes, name: str, curve: Curve, lane: str, said: Said) -> None:
    steps = np.arange(1, len(curve.reference) + 1)
    axes.plot(steps, curve.reference, color=REFERENCE, lw=4, alpha=0.55, solid_capstyle="round",
              label=said(term("reference")))
    axes.plot(steps, curve.twin, color=TWIN, lw=1.4, marker="o", ms=3.2, label=said(term("twin")))
    axes.set_title(f"{name.replace('_', ' ')} ({lane})", color=INK, size=11, loc="left")
    values = np.asarray([*curve.reference, *curve.twin])
    values = values[np.isfinite(values)]
    if values.size and np.ptp(values) < 1e-3 * abs(values).max():  # a flat line, not its last digits
        middle = values.mean()
        axes.set_ylim(middle - 0.01 * abs(middle), middle + 0.01 * abs(middle))


def _differences(axes: Axes, each: Followed, curve: Curve, said: Said) -> None:
    steps = np.arange(1, len(curve.reference) + 1)
    apart, noise = difference(curve), envelope(curve, each.lane)
    zero = np.finfo(each.lane).eps / 8  # where exact equality is shown: a log axis has no place for it
    bottom = zero / 4
    edges, at = np.r_[0.5, steps, len(steps) + 0.5], np.r_[noise[:1], noise, noise[-1:]]
    axes.fill_between(edges, bottom, at, color=NOISE, alpha=0.85, lw=0, label=said(say("what rounding alone does")))
    axes.fill_between(edges, at, M * at, color=NOISE, alpha=0.32, lw=0,
                      label=said(say("up to {count:g} times that: noise", count=M)))
    equal = apart == 0
    axes.plot(steps, np.where(equal, zero, apart), color=TWIN, lw=1.2, zorder=3)
    axes.plot(steps[~equal], apart[~equal], color=TWIN, ls="", marker="o", ms=4.2, zorder=4,
              label=said(say("twin − reference")))
    axes.plot(steps[equal], np.full(equal.sum(), zero), color=TWIN, ls="", marker="o", ms=4.2, mfc="white", zorder=4,
              label=said(say("exactly equal")))
    if equal.any():
        axes.axhline(zero, color=SOFT, lw=0.7, ls=":", zorder=2)
    axes.set_yscale("log")
    finite = apart[np.isfinite(apart)]
    axes.set_ylim(bottom, max([*(M * noise), *finite]) * 8)
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)
    out = leaves(curve, each.lane)
    if out is not None and np.isfinite(apart[out - 1]):
        axes.plot([out], [apart[out - 1]], ls="", marker="o", ms=12, mfc="none", mec=BAD, mew=1.6, zorder=5,
                  label=said(say("first step outside the noise")))


def dress(axes: Axes) -> None:
    """The look that all pictures share."""
    axes.set_axisbelow(True)
    axes.grid(color=GRID, lw=0.7)
    axes.tick_params(colors=SOFT, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)
    axes.yaxis.label.set(color=SOFT, size=9.5)
    axes.xaxis.label.set(color=SOFT, size=9.5)


def _legend(figure: Figure, axes: np.ndarray, height: float) -> None:
    """One for all panels, at the foot."""
    handles: dict[str, object] = {}
    for line in axes.flat:
        for handle, label in zip(*line.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=4, frameon=False, fontsize=9,
                  labelcolor=INK, bbox_to_anchor=(0.5, 0.0), handlelength=2.2)

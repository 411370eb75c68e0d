"""The pictures of the explanation, as PNG: the CAM loss, the losses beside rounding, the error layer by layer."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from parity.steps.picture import BAD, GRID, INK, NOISE, REFERENCE, SOFT, TWIN, dress
from parity.ugatit.explain import attribution, course, networks
from parity.ugatit.explain.report.summary import Explanation

DPI = 110
LOSS_NAMES = {"G_loss": "generator loss", "D_loss": "discriminator loss"}
_RECORDED = {"official": (REFERENCE, "the official code"), "port": (BAD, "the real 2020 port, Paddle 1.8.5")}
_NETWORK_NAMES = {"genA2B": "generator", "disGA": "discriminator, 7 layers", "disLA": "discriminator, 5 layers"}


def cam(explanation: Explanation) -> bytes:
    """The symptom: the sum of the four CAM losses over the long runs."""
    figure = Figure(figsize=(10.2, 4.4), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.subplots()
    steps = np.arange(1, explanation.scope.long_steps + 1)
    axes.axhline(course.CHANCE, color=SOFT, lw=1, ls=(0, (4, 3)))
    axes.annotate(f"guessing: 4 ln 2 = {course.CHANCE:.3f}", (steps[-1], course.CHANCE), xytext=(0, 5), textcoords="offset points",
                  ha="right", color=SOFT, size=9)
    for name, values in explanation.recorded_cam.items():
        if name in _RECORDED:
            colour, title = _RECORDED[name]
            axes.plot(steps[::4], values[::4], ls="", marker="o", ms=4.5, mfc="none", mec=colour, label=f"recorded: {title}")
    reference = explanation.long("reference")["losses"]["cam"]
    axes.plot(steps, reference, color=REFERENCE, lw=4.5, alpha=0.5, label=_arrives(explanation, "reference"))
    styles = iter(((TWIN, "-"), (BAD, "-"), ("#6a3d9a", (0, (5, 2))), ("#444444", ":"), ("#888888", "-.")))
    for names in explanation.scope.long[:5]:
        colour, dashes = next(styles)
        axes.plot(steps, explanation.long("twin", names)["losses"]["cam"], color=colour, ls=dashes, lw=1.6,
                  label=_arrives(explanation, explanation.label(names)))
    axes.set_ylim(bottom=0)
    axes.set(xlabel="training step", ylabel="CAM loss of the generators")
    dress(axes)
    axes.legend(loc="lower left", frameon=False, fontsize=9, labelcolor=INK)
    return _png(figure)


def _arrives(explanation: Explanation, label: str) -> str:
    return f"{explanation.title(label)}: last 20 steps {explanation.settled[label]:.3f}"


def losses(explanation: Explanation) -> bytes:
    """How far each fault alone takes the losses from the reference, and what rounding alone does in either precision."""
    figure = Figure(figsize=(11, 5.2), dpi=DPI, facecolor="white", layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    names = explanation.scope.names
    colours = dict(zip(names, _colours(len(names)), strict=True))
    for axes, loss in zip(panels, attribution.LOSSES, strict=True):
        bottom = 1e-17
        for lane, alpha in (("float32", 0.25), ("float64", 0.8)):
            noise = explanation.envelope(lane, loss)
            steps = np.arange(1, len(noise) + 1)
            axes.fill_between(steps, bottom, noise, color=NOISE, alpha=alpha, lw=0, label=f"rounding alone, {lane}")
        for name in names:
            _line(axes, explanation, (name,), loss, color=colours[name], lw=1.5, marker="o", ms=3, label=name)
        _line(axes, explanation, names, loss, color=INK, lw=2.2, ls=(0, (4, 2)), label=f"all {len(names)}")
        _line(axes, explanation, (), loss, color=REFERENCE, lw=2, marker="D", ms=3.5, label="none: the repaired twin")
        axes.set_yscale("log")
        axes.set_ylim(bottom, 3)
        axes.set_title(LOSS_NAMES[loss], color=INK, size=11, loc="left")
        axes.set_xlabel("training step")
        axes.xaxis.get_major_locator().set_params(integer=True)
        dress(axes)
    panels[0].set_ylabel("relative difference from PyTorch")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=7, frameon=False, fontsize=9, labelcolor=INK)
    return _png(figure)


def _line(axes: Axes, explanation: Explanation, names: tuple[str, ...], loss: str, **style: object) -> None:
    apart = attribution.relative(explanation.course(names), explanation.reference, explanation.reference, loss)
    axes.plot(np.arange(1, len(apart) + 1), np.maximum(apart, 2e-17), **style)


def layers(explanation: Explanation) -> bytes:
    """The error of every layer's output, one row a fault, in the order of execution."""
    names = explanation.scope.names
    found = {network: [(name, explanation.part_errors((name,) if name else names)[network]["layers"]) for name in (*names, None)]
             for network in networks.NETWORKS}
    rows = {network: [(name, each) for name, each in lines if any(error > _SAME for _, error in each)]
            for network, lines in found.items()}
    heights = [max(1, len(lines)) + 2.6 for lines in rows.values()]
    figure = Figure(figsize=(11.5, 0.3 * sum(heights) + 0.7), dpi=DPI, facecolor="white", layout="constrained")
    panels = figure.subplots(len(rows), 1, height_ratios=heights)
    shades = colormaps["magma_r"].with_extremes(under="white")
    for axes, (network, lines) in zip(panels, rows.items(), strict=True):
        modules = [module.partition(".")[2] or "result" for module, _ in found[network][0][1]]
        grid = np.array([[error for _, error in each] for _, each in lines] or [[0.0] * len(modules)])
        image = axes.imshow(grid, aspect="auto", cmap=shades, norm=LogNorm(_SAME, 10), interpolation="nearest")
        titles = [name or f"all {len(names)}" for name, _ in lines] or ["none acts here"]
        axes.set_yticks(range(len(titles)), titles, fontsize=9)
        every = -(-len(modules) // 24)
        axes.set_xticks(range(0, len(modules), every), modules[::every], rotation=40, ha="right", fontsize=7.5)
        axes.set_title(_NETWORK_NAMES[network], color=INK, size=10.5, loc="left")
        axes.tick_params(colors=SOFT, length=0)
        axes.set_xticks(np.arange(len(modules)) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(grid)) - 0.5, minor=True)
        axes.grid(which="minor", color="white", lw=1)
        axes.tick_params(which="minor", length=0)
        for spine in axes.spines.values():
            spine.set_color(GRID)
    bar = figure.colorbar(image, ax=list(panels), shrink=0.7, pad=0.015, extend="min")
    bar.set_label("error relative to the layer's largest value; white: the same", color=SOFT, size=9)
    return _png(figure)


_SAME = 1e-12  # below it a float64 layer is the same


def _colours(count: int) -> list:
    return [colormaps["tab10"](number % 10) for number in range(count)]


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()

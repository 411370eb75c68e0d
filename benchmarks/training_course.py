"""Draw two trained runs beside the official one: their losses, and what their generators make of the test pictures.

    parity train --framework torch --data DATA --out RUNS/torch --steps 300 --ch 8 --light --img-size 128
    parity train --framework paddle --data DATA --out RUNS/paddle --steps 300 --ch 8 --light --img-size 128
    python -m benchmarks.training_course RUNS DATA OFFICIAL.losses.csv OFFICIAL.pt docs/images
"""

from pathlib import Path

import click
import matplotlib
import numpy as np
from PIL import Image

from parity.ugatit.trainer import Translator, find_images, read_image, read_losses

matplotlib.use("Agg")
COLOURS = {"official log": "0.45", "torch": "tab:orange", "paddle": "tab:blue"}


def smooth(values, width=15):
    """A running mean over as many steps, shorter at the ends."""
    values, ones = np.asarray(values, float), np.ones(width)
    return np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")


def draw_losses(curves, path):
    """curves: name -> (D losses, G losses), one value per step."""
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(3, 1, figsize=(8, 8), sharex=True, layout="constrained")
    for side, axis in enumerate(axes[:2]):
        for name, losses in curves.items():
            steps = np.arange(1, len(losses[side]) + 1)
            axis.plot(steps, losses[side], color=COLOURS[name], alpha=0.25, linewidth=0.6)
            axis.plot(steps, smooth(losses[side]), color=COLOURS[name], label=name, linewidth=1.6)
        axis.set_ylabel(("D loss", "G loss")[side])
        axis.set_ylim(0, None)
        axis.grid(alpha=0.3)
    axes[0].legend(loc="upper right")
    axes[0].set_title("300 steps, thin: every step, thick: mean of 15")
    for side, name in enumerate(("D loss", "G loss")):
        one, other = (np.asarray(curves[framework][side]) for framework in ("torch", "paddle"))
        axes[2].semilogy(np.arange(1, len(one) + 1), np.abs(other / one - 1) + 1e-9, label=name, linewidth=0.9)
    axes[2].set_ylabel("|paddle / torch - 1|")
    axes[2].set_xlabel("step")
    axes[2].legend(loc="lower right")
    axes[2].grid(alpha=0.3)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def draw_translations(checkpoints, data, size, path):
    """A row for the test pictures, testA then testB, then one per (framework, checkpoint) with the translations."""
    sources = [(way, file) for way in ("A2B", "B2A") for file in find_images(data / f"test{way[0]}")]
    rows = [[read_image(file).resize((size, size), Image.Resampling.BILINEAR) for _, file in sources]]
    for framework, checkpoint in checkpoints:
        translators = {way: Translator(framework, checkpoint, way, size) for way in ("A2B", "B2A")}
        rows.append([translators[way](read_image(file)) for way, file in sources])
    grid = Image.new("RGB", (size * len(sources), size * len(rows)))
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            grid.paste(picture, (x * size, y * size))
    grid.save(path, optimize=True)


@click.command()
@click.argument("runs", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("log", type=click.Path(path_type=Path))
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def main(runs, data, log, checkpoint, out):
    """Write OUT/training_losses.png and OUT/training_translations.png and print the figures."""
    official = np.loadtxt(log, delimiter=",")
    curves = {"official log": (official[:, 1], official[:, 2])}
    for framework in ("torch", "paddle"):
        losses = read_losses(runs / framework / "losses.csv")
        curves[framework] = (losses["D_loss"], losses["G_loss"])
    draw_losses(curves, out / "training_losses.png")
    draw_translations([("torch", checkpoint), ("torch", runs / "torch"), ("paddle", runs / "paddle")], data, 128,
                      out / "training_translations.png")
    for name, sides in curves.items():
        means = [[float(np.mean(side[start:start + 50])) for start in range(0, len(side), 50)] for side in sides]
        click.echo(f"{name}: means of 50 steps: D {np.round(means[0], 2)}, G {np.round(means[1])}")
    one, other = (np.asarray(curves[framework]) for framework in ("torch", "paddle"))
    for step in (1, 5, 10, 20, 50, 100, 300):
        if step <= one.shape[1]:
            click.echo(f"step {step}: paddle / torch - 1: D, G {other[:, step - 1] / one[:, step - 1] - 1}")


if __name__ == "__main__":
    main()

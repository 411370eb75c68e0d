"""The twin's training step beside the reference's: time and peak memory, as ratios of one run.

    python -m benchmarks.step                                  # light, 8 and 4 channels, 96 px, 4 steps
    python -m benchmarks.step --ngf 64 --ndf 64 --img-size 256 --steps 1
    python -m benchmarks.step --ngf 64 --ndf 64 --img-size 256 --steps 1 --setting MKL_DEBUG_CPU_TYPE=5

Plain steps, nothing recorded, float32. Each side in a process of its own, in turn, `--rounds` times, one thread each unless
--threads says otherwise; the first step of a process is not counted. Printed: medians of seconds a step, of the ratio
Paddle / torch round by round, and the peak resident set above that of the same process after the imports.
--setting NAME=VALUE: an environment variable for both processes.
"""

from __future__ import annotations

import json
import os
import statistics
import time

import click

from benchmarks.memory import Peak, apart


def _steps(side: str, sizes: dict, steps: int, threads: int) -> tuple[float, int]:
    """(seconds a step, bytes of memory) of one side."""
    import importlib

    from benchmarks.programs import use_threads
    from parity.ugatit import subjects as ugatit

    use_threads(threads)
    package = importlib.import_module({"torch": "torch_ref", "paddle": "paddle_impl"}[side])
    peak = Peak()
    size = sizes.pop("img_size")
    training = package.Training(**sizes, img_size=size, iteration=1_000_000)
    tensor = importlib.import_module(f"{package.__name__}.data").batch_to_tensor
    taken = []
    for step in range(1, steps + 2):
        batch = [tensor(ugatit.picture(f"{domain}{step}", 0, size)) for domain in "AB"]
        started = time.perf_counter()
        losses = training.step(*batch, step)
        float(losses["G_loss"])
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:]), peak.bytes()


@click.command(help=__doc__.partition("\n")[0])
@click.option("--ngf", default=8, show_default=True)
@click.option("--ndf", default=4, show_default=True)
@click.option("--n-blocks", default=4, show_default=True)
@click.option("--img-size", default=96, show_default=True)
@click.option("--light/--full", default=True)
@click.option("--steps", default=4, show_default=True, help="Counted steps of each process.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE")
def main(steps: int, rounds: int, threads: int, settings: tuple[str, ...], **sizes) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.update(setting.split("=", 1) for setting in settings)
    seconds, peaks = {"torch": [], "paddle": []}, {"torch": [], "paddle": []}
    for _ in range(rounds):
        for side in seconds:
            taken, peak = apart(_steps, side, dict(sizes), steps, threads)
            seconds[side].append(taken)
            peaks[side].append(peak)
    ratios = [paddle / torch for torch, paddle in zip(seconds["torch"], seconds["paddle"], strict=True)]
    click.echo(json.dumps({
        "settings": settings, "threads": threads, "sizes": sizes,
        "seconds": {side: round(statistics.median(values), 3) for side, values in seconds.items()},
        "ratio": round(statistics.median(ratios), 2), "ratios": [round(ratio, 2) for ratio in ratios],
        "peak_mib": {side: max(values) >> 20 for side, values in peaks.items()}}, indent=1))


if __name__ == "__main__":
    main()

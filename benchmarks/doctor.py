"""What the doctor costs on a U-GAT-IT step: the time of a watched step over that of a plain one.

    python -m benchmarks.doctor                        # Paddle, 8 and 4 channels, 96 px
    python -m benchmarks.doctor --framework torch --ngf 16 --ndf 8

One training goes on throughout; steps with the doctor and without it take turns, so that a machine that slows down slows
both. Processor time, one thread. close: the first iterations, in which every layer's output and every line's value is looked
at; watched: all later ones, in a loop of yours; copy: a copy of the training's state, as `parity doctor module:function` takes it
before each fourth of those, to run them again from there where a NaN shows; with copies: the later iterations of that command.
Medians of the ratios of neighbours.
"""

from __future__ import annotations

import statistics
import time

import click


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--framework", type=click.Choice(["paddle", "torch"]), default="paddle")
@click.option("--ngf", default=8)
@click.option("--ndf", default=4)
@click.option("--n-blocks", default=4)
@click.option("--img-size", default=96)
@click.option("--rounds", default=9)
def main(framework: str, ngf: int, ndf: int, n_blocks: int, img_size: int, rounds: int) -> None:
    import paddle
    import torch

    import paddle_impl
    import parity
    import torch_ref
    from parity.doctor.alone import MOMENT
    from parity.doctor.moment import Moments
    from parity.ugatit import subjects as ugatit

    torch.set_num_threads(1)
    package = paddle_impl if framework == "paddle" else torch_ref
    tensor = paddle.to_tensor if framework == "paddle" else torch.from_numpy
    sizes = ugatit.Sizes(ngf=ngf, n_blocks=n_blocks, img_size=img_size, ndf=ndf)
    batches = [tensor(array) for array in ugatit.training(sizes).batch(1).values()]
    training = package.Training(ngf=ngf, n_blocks=n_blocks, img_size=img_size, light=True, ndf=ndf)
    optimizers = {"G_optim": training.G_optim, "D_optim": training.D_optim}

    def seconds() -> float:
        start = time.process_time()
        training.step(*batches, 1)
        return time.process_time() - start

    def watched(close: int) -> float:
        with parity.doctor(training.networks, optimizers, close=close) as doctor:
            seconds_ = seconds()
            start = time.process_time()
            doctor.mark()  # what ends an iteration belongs to its cost
            return seconds_ + time.process_time() - start

    with parity.doctor(training.networks, optimizers) as doctor:
        moments = Moments(doctor.program, seconds)
    moments.before_step()

    def moment() -> float:
        start = time.process_time()
        assert moments.before_step() is not None
        return time.process_time() - start

    runs = {"close": lambda: watched(1), "watched": lambda: watched(0), "copy": moment, "plain again": seconds}
    for warm_up in (seconds, *runs.values()):
        warm_up()
    ratios: dict[str, list[float]] = {name: [] for name in runs}
    plain_times = []
    for _ in range(rounds):
        plain = seconds()
        plain_times.append(plain)
        for name, run in runs.items():
            ratios[name].append(run() / plain)
    click.echo(f"{framework}, ngf {ngf}, ndf {ndf}, {img_size} px: plain step {statistics.median(plain_times):.3f} s")
    ratios["with copies"] = [watched + copy / MOMENT for watched, copy in zip(ratios["watched"], ratios["copy"], strict=True)]
    for name, values in ratios.items():
        click.echo(f"{name:12} {statistics.median(values):.3f} of the plain step ({min(values):.3f} to {max(values):.3f})")


if __name__ == "__main__":
    main()

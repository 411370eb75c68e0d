"""What one compare costs beside the plain programs: time and peak memory, as ratios of one run.

    python -m benchmarks.cost                     # generator of 0.67 M parameters, float64, 128 px
    python -m benchmarks.cost --img-size 256 --lane float32

plain: forward and backward of both sides, once each. compare: the same with every layer, line and gradient recorded and
compared (one lane). The noise floor, which is drawn once for a truth, is timed apart. Each round runs plain and compare in
turn, so that a machine that slows down slows both; the medians of the ratios are printed. Time is processor time, one
thread in each framework. Memory: each variant in a
process of its own, peak resident set above that of the same process after the imports and the building of both models.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click


def _subject(ngf: int, n_blocks: int, img_size: int, light: bool):
    import torch

    from parity import ugatit

    torch.set_num_threads(1)
    sizes = ugatit.Sizes(ngf=ngf, n_blocks=n_blocks, img_size=img_size, light=light)
    images = {domain: ugatit.picture(domain, 0, img_size) for domain in "AB"}
    return next(ugatit.networks(sizes, images, names=("genA2B",)))


def _variants(subject, lane: str) -> dict[str, Callable[[], None]]:
    """Name -> one run of it."""
    from parity.ladder import Both
    from parity.noise import DRAWS
    from parity.sinks import Against, Distances, Store

    both = Both(subject, "cpu")

    def plain() -> None:
        for side in (0, 1):
            both.plain(side, lane)

    def compare() -> None:
        truth = Store()
        both.reference(lane, truth)
        both.twin(lane, Against(truth, dict.fromkeys(truth.events, 0.0), float("inf"), release=True))

    truth = Store()

    def floor() -> None:
        if not truth.events:
            both.reference(lane, truth)
        noise = Distances(truth)
        for draw in range(DRAWS):
            both.reference(lane, noise, moved=draw)

    return {"plain": plain, "compare": compare, "floor": floor}


def _peak(queue, variant: str, sizes: dict, lane: str) -> None:
    run = _variants(_subject(**sizes), lane)[variant]
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts anew from what is resident now
    before = _status("VmRSS")
    run()
    queue.put(_status("VmHWM") - before)


def _status(field: str) -> int:
    """A field of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise KeyError(field)


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--ngf", default=8)
@click.option("--n-blocks", default=4)
@click.option("--img-size", default=128)
@click.option("--light/--full", default=True)
@click.option("--lane", type=click.Choice(["float64", "float32"]), default="float64")
@click.option("--rounds", default=7)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def main(lane: str, rounds: int, as_json: bool, **sizes: int) -> None:
    variants = _variants(_subject(**sizes), lane)
    for run in variants.values():
        run()  # warm up
    seconds = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    context = multiprocessing.get_context("spawn")
    memory = {}
    for name in ("plain", "compare"):
        queue = context.Queue()
        process = context.Process(target=_peak, args=(queue, name, sizes, lane))
        process.start()
        memory[name] = queue.get()
        process.join()
    ratio = {name: statistics.median(b / a for a, b in zip(seconds["plain"], seconds[name], strict=True))
             for name in ("compare", "floor")}
    result = {"sizes": sizes, "lane": lane, "rounds": rounds,
              "seconds": {name: statistics.median(times) for name, times in seconds.items()},
              "time_ratio": ratio, "peak_bytes": memory, "memory_ratio": memory["compare"] / memory["plain"]}
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, times in seconds.items():
        click.echo(f"{name:8} {statistics.median(times):7.3f} s   ({min(times):.3f} to {max(times):.3f})")
    click.echo(f"compare / plain: {ratio['compare']:.2f} of the time, {result['memory_ratio']:.2f} of the peak memory "
               f"({memory['plain'] / 2**20:.0f} -> {memory['compare'] / 2**20:.0f} MiB); floor / plain: {ratio['floor']:.2f}")


if __name__ == "__main__":
    main()

"""What a conversion costs beside copying the file: time as a ratio, peak anonymous memory.

    python -m benchmarks.convert --folder /some/disk                # full size: 212 tensors, 2.7 GB; needs 12 GB free
    python -m benchmarks.convert --folder /some/disk --light --rounds 5

The checkpoint is the official layout with seeded weights (ngf 64, 256 px). Each round copies it (read, write, flush, fsync)
and then runs each variant once, all from a warm page cache, so that a machine that slows down slows all; medians
of the per-round ratios are printed. Every variant is a process of its own; time is from after the imports to after fsync,
and memory is the largest RssAnon (sampled every 5 ms) above that after the imports. `by hand` is what a user writes:
torch.load, transpose, paddle.save of a whole dict per network (flushed as well, and not verified). X2Paddle 1.6.0 is not
among them: its pytorch2paddle refuses this generator ("2 OPs are not supported yet": aten::var, aten::adaptive_max_pool2d).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.memory import status

NETWORKS = ("genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB")


def make_checkpoint(path: Path, light: bool) -> None:
    import numpy as np
    import torch

    import torch_ref
    from parity.ugatit.subjects import Sizes
    from weights_convert import write_torch

    sizes = Sizes(ngf=64, n_blocks=4, img_size=256, light=light, ndf=64)
    states = {}
    for number, name in enumerate(NETWORKS):
        with torch.device("meta"):
            shapes = {key: value.shape for key, value in sizes.network(torch_ref, name).state_dict().items()}
        rng = np.random.default_rng(number)
        states[name] = {key: rng.standard_normal(shape, "f4") * np.float32(0.02) for key, shape in shapes.items()}
    write_torch(path, states)


def copy(source: Path, target: Path) -> None:
    with open(source, "rb", buffering=0) as reading, open(target, "wb", buffering=0) as writing:
        block = bytearray(16 << 20)
        while count := reading.readinto(block):
            writing.write(memoryview(block)[:count])
        writing.flush()
        os.fsync(writing.fileno())


def by_hand(source: Path, target: Path) -> None:
    import paddle
    import torch

    checkpoint = torch.load(source, map_location="cpu", weights_only=True)
    target.mkdir(exist_ok=True)
    for name, state in checkpoint.items():
        linear = ("fc.weight", "FC.0.weight", "FC.2.weight", "gamma.weight", "beta.weight", "fc.weight_orig")
        converted = {key: paddle.to_tensor((value.t() if key.endswith(linear) else value).contiguous().numpy())
                     for key, value in state.items()}
        path = target / f"{name}.pdparams"
        paddle.save(converted, str(path))
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def variants(work: Path) -> dict[str, tuple[Callable, Path]]:
    """Name -> (a call that makes it, where to)."""
    from parity.conversion import convert as conversion
    from parity.ugatit.networks import OFFICIAL

    checkpoint, paddle_files = work / "full.pt", work / "paddle"
    found: dict[str, tuple[Callable, Path]] = {}
    for level in ("none", "checksum", "full"):
        found[f"to paddle, verify {level}"] = (
            lambda to, level=level: conversion.to_paddle(checkpoint, to, verify=level, known=OFFICIAL), work / "out")
    for level in ("none", "checksum", "full"):
        found[f"to torch, verify {level}"] = (
            lambda to, level=level: conversion.to_torch(paddle_files, to / "back.pt", verify=level, known=OFFICIAL), work / "out")
    found["by hand, to paddle"] = lambda to: by_hand(checkpoint, to), work / "out"
    return found


def _measured(queue, name: str, work: Path) -> None:
    import torch


    torch.set_num_threads(1)
    run, target = variants(work)[name]
    peak, done = [before := status("RssAnon")], threading.Event()

    def sample() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], status("RssAnon"))

    sampler = threading.Thread(target=sample)
    sampler.start()
    start = time.perf_counter()
    run(target)
    seconds = time.perf_counter() - start
    done.set()
    sampler.join()
    queue.put((seconds, peak[0] - before))


def _in_process(name: str, work: Path) -> tuple[float, int]:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measured, args=(queue, name, work))
    process.start()
    while process.is_alive() and queue.empty():
        time.sleep(0.05)
    if queue.empty() and process.exitcode:
        raise click.ClickException(f"{name}: the process ended with {process.exitcode}")
    found = queue.get()
    process.join()
    return found


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--folder", type=click.Path(path_type=Path, exists=True), default=Path(tempfile.gettempdir()))
@click.option("--light", is_flag=True, help="The light generator: 0.5 GB instead of 2.7.")
@click.option("--rounds", default=3)
@click.option("--only", multiple=True, help="Only variants whose name contains this. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def main(folder: Path, light: bool, rounds: int, only: tuple[str, ...], as_json: bool) -> None:
    work = Path(tempfile.mkdtemp(prefix="parity-benchmark-", dir=folder))
    try:
        result = _run(work, light, rounds, only)
    finally:
        shutil.rmtree(work)
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    click.echo(f"{result['bytes'] / 1e9:.2f} GB; largest tensor {result['largest'] / 1e6:.0f} MB; "
               f"copy with fsync: {result['copy']:.2f} s")
    for name, row in result["variants"].items():
        click.echo(f"{name:28} {row['seconds']:6.2f} s = {row['ratio']:5.2f} x copy ({row['lowest']:.2f} to {row['highest']:.2f}); "
                   f"{row['memory'] / 2**20:6.0f} MiB = {row['memory'] / result['largest']:.2f} x largest tensor")


def _run(work: Path, light: bool, rounds: int, only: tuple[str, ...]) -> dict:
    from parity.conversion import convert as conversion
    from parity.ugatit.networks import OFFICIAL
    from weights_convert import read_torch

    make_checkpoint(work / "full.pt", light)
    conversion.to_paddle(work / "full.pt", work / "paddle", verify="none", known=OFFICIAL)
    largest = max(array.nbytes for state in read_torch(work / "full.pt").values() for array in state.values())
    wanted = [name for name in variants(work) if not only or any(part in name for part in only)]
    copies, rows = [], {name: [] for name in wanted}
    for _ in range(rounds):
        for name in wanted:
            for path in ("full.pt", *(f"paddle/{network}.pdparams" for network in NETWORKS)):
                with open(work / path, "rb", buffering=0) as file:  # warm the page cache
                    while file.read(16 << 20):
                        pass
            start = time.perf_counter()
            copy(work / "full.pt", work / "copy.pt")
            copies.append(time.perf_counter() - start)
            os.unlink(work / "copy.pt")
            (work / "out").mkdir()
            rows[name].append((*_in_process(name, work), copies[-1]))
            shutil.rmtree(work / "out")
            os.sync()
    return {
        "bytes": (work / "full.pt").stat().st_size, "largest": largest, "copy": statistics.median(copies), "rounds": rounds,
        "variants": {name: {"seconds": statistics.median(s for s, _, _ in row), "memory": max(m for _, m, _ in row),
                            "ratio": statistics.median(s / c for s, _, c in row), "lowest": min(s / c for s, _, c in row),
                            "highest": max(s / c for s, _, c in row)} for name, row in rows.items()},
    }  # fmt: skip


if __name__ == "__main__":
    main()

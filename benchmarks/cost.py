"""What a compare costs beside the plain programs: time and peak memory, as ratios of one run.

    python -m benchmarks.cost                                     # ResNet-18, batch 4, 224 px, train mode, float64
    python -m benchmarks.cost --pair my_pair.py --input 2,3,64,64
    python -m benchmarks.cost --generator --img-size 256 --lane float32
    python -m benchmarks.cost --whole                             # also the whole check: noise floors, and both lanes

plain: forward and backward of the reference, then of the twin, with nothing of the harness in between. build: building both.
pass: both side by side, every layer, line and gradient recorded and compared. compare: a whole call of `ladder.glance`,
from building both to the report, which is what `parity compare --quick` runs. plain and build run in a process of their own, with
the heap as the system sets it up; pass and compare in another, with the heap as `--quick` sets it up. Each round runs all in turn,
so that a machine that slows down slows all; printed are the medians of the ratios pass / plain and compare / (build + plain).
Processor time, one thread in each framework.

Memory: peak resident set above that of the same process after the imports, each variant in fresh processes of its own, the
median of three. plain is building both and running both; compare is the whole call, once and four times in a row.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from benchmarks.memory import Peak, apart, fresh
from parity import heap

PLAINLY, COMPARING = ("plain", "build"), ("pass", "compare")
VARIANTS = ("plain", "compare", "four compares")
WHOLE = {"check, float64": ("float64",), "check, both lanes": ("float64", "float32")}


def as_quick() -> None:
    """The heap as `--quick` sets it up."""
    from parity.compare.one_pass import LARGE
    heap.keep_freed(below=LARGE)


def peak_of(spec: Mapping[str, Any], lane: str, variant: str) -> int:
    """Bytes above the imports, in this process."""
    import parity.compare.ladder
    from benchmarks import programs
    programs.use_threads(1)
    peak = Peak()
    if variant != "plain":
        as_quick()
    program = programs.of(spec)
    if variant == "plain":
        programs.plain(program, programs.prepared(program, lane), lane)
    elif variant in WHOLE:
        from parity.compare.results import Case
        from parity.compare.runner import run
        mode = "train" if program.training else "eval"
        list(run([Case("cost", mode, program.subject())], lanes=WHOLE[variant]))
    else:
        subject = program.subject()
        for _ in range(4 if variant == "four compares" else 1):
            parity.compare.ladder.glance(subject, lane=lane)
    return peak.bytes()


@functools.cache
def timed(spec: str, lane: str) -> dict[str, Callable[[], Any]]:
    """Name -> what is timed, in the process that asks first."""
    from benchmarks import programs
    from parity.compare.ladder import Both, glance
    from parity.compare.one_pass import Interleaved
    programs.use_threads(1)
    program = programs.of(json.loads(spec))
    subject, models = program.subject(), programs.prepared(program, lane)
    both = Both(subject, "cpu")
    return {"plain": lambda: programs.plain(program, models, lane),
            "build": lambda: programs.prepared(program, lane),
            "pass": lambda: both.side_by_side(lane, Interleaved(subject.name, lane)),
            "compare": lambda: glance(subject, lane=lane),
            "clear": lambda: programs.cleared(models)}


def seconds(spec: str, lane: str, names: tuple[str, ...]) -> list[float]:
    """Processor time of each, in this process."""
    taken = []
    for name in names:
        run = timed(spec, lane)[name]
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    timed(spec, lane)["clear"]()
    return taken


def seconds_of(spec: Mapping[str, Any], lane: str, rounds: int) -> dict[str, list[float]]:
    """Name -> processor time of each round. The first is not counted: it warms up."""
    taken: dict[str, list[float]] = {name: [] for name in (*PLAINLY, *COMPARING)}
    with fresh() as plainly, fresh(as_quick) as comparing:
        for _ in range(rounds + 1):
            for process, names in ((plainly, PLAINLY), (comparing, COMPARING)):
                for name, seen in zip(names, process.submit(seconds, json.dumps(spec), lane, names).result(), strict=True):
                    taken[name].append(seen)
    return {name: times[1:] for name, times in taken.items()}


def whole(spec: Mapping[str, Any], variant: str) -> tuple[float, int]:
    """(processor seconds, bytes above the imports) of a whole compare as the command runs it, in this process."""
    started = time.process_time()
    peak = peak_of(spec, "float64", variant)
    return time.process_time() - started, peak


def measure(spec: Mapping[str, Any], lane: str, rounds: int, repeats: int = 3) -> dict[str, Any]:
    taken = seconds_of(spec, lane, rounds)
    memory = {variant: statistics.median(apart(peak_of, spec, lane, variant) for _ in range(repeats)) for variant in VARIANTS}
    rows = list(zip(*(taken[name] for name in (*PLAINLY, *COMPARING)), strict=True))
    return {"seconds": {name: statistics.median(times) for name, times in taken.items()},
            "time_ratio": {"pass": statistics.median(row[2] / row[0] for row in rows),
                           "compare": statistics.median(row[3] / (row[0] + row[1]) for row in rows)},
            "peak_bytes": memory,
            "memory_ratio": {name: memory[name] / memory["plain"] for name in VARIANTS[1:]}}


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--pair", default="resnet18", help="A pair file; resnet18 is that of the tests at batch 4, 224 px.")
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help="As of `parity compare`.")
@click.option("--generator", is_flag=True, help="A U-GAT-IT generator instead, of the four sizes below.")
@click.option("--ngf", default=8)
@click.option("--n-blocks", default=4)
@click.option("--img-size", default=128)
@click.option("--light/--full", default=True)
@click.option("--train/--eval", "training", default=True)
@click.option("--lane", type=click.Choice(["float64", "float32"]), default="float64")
@click.option("--rounds", default=5)
@click.option("--whole", "with_whole", is_flag=True)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def main(pair: str, inputs: tuple[str, ...], generator: bool, training: bool, lane: str, rounds: int, with_whole: bool,
         as_json: bool, **sizes: Any) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    spec = {**sizes, "training": training} if generator else {"pair": pair, "inputs": inputs, "training": training}
    result = {"program": spec, "lane": lane, "rounds": rounds, **measure(spec, lane, rounds)}
    if with_whole:
        result["whole"] = {variant: apart(whole, spec, variant) for variant in WHOLE}
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    seconds, peaks = result["seconds"], result["peak_bytes"]
    click.echo(f"{'generator' if generator else pair}, {lane}, {rounds} rounds")
    for name, taken in seconds.items():
        click.echo(f"  {name:14} {taken:8.3f} s")
    for name, peak in peaks.items():
        click.echo(f"  {name:14} {peak / 2**20:8.0f} MiB")
    ratios = result["time_ratio"]
    click.echo(f"time:   pass / plain {ratios['pass']:.2f}, compare / (build + plain) {ratios['compare']:.2f}")
    click.echo(f"memory: compare / plain {result['memory_ratio']['compare']:.2f}, "
               f"four compares / plain {result['memory_ratio']['four compares']:.2f}")
    for variant, (taken, peak) in result.get("whole", {}).items():
        click.echo(f"{variant}: {taken:.1f} s ({taken / (seconds['build'] + seconds['plain']):.1f} x), {peak / 2**20:.0f} MiB "
                   f"({peak / peaks['plain']:.2f} x)")


if __name__ == "__main__":
    main()

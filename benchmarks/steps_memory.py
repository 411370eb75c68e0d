"""Peak memory of `parity steps` in its ways to run: both sides in one process, and one side at a time through a folder.

    python -m benchmarks.steps_memory                                        # light, 8 and 4 channels, 96 px
    python -m benchmarks.steps_memory --only record --only against -- --ngf 64 --ndf 64 --size 256

What follows -- goes to `parity steps`. Anonymous memory (RssAnon, Linux) of the process, sampled twenty times a second: the
pages of a mapped recording are the system's to take back, and not counted. Beside it what the same process holds after the
imports, and the size of the recording.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.memory import status

WAYS = ("live", "record", "against")


def peak_of(command: list[str]) -> tuple[int, float]:
    """(peak anonymous memory in bytes, seconds) of a command, which must succeed."""
    started, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        peak = max(peak, _anonymous(process.pid))
        time.sleep(0.05)
    if process.returncode:
        raise click.ClickException(f"{' '.join(command)}: exit code {process.returncode}\n{process.stderr.read()}")
    return peak, time.perf_counter() - started


def _anonymous(pid: int) -> int:
    try:
        return status("RssAnon", pid)
    except OSError:  # it has ended
        return 0


@click.command(help=__doc__.partition("\n")[0])
@click.option("--only", multiple=True, type=click.Choice(WAYS))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(only: tuple[str, ...], options: tuple[str, ...]) -> None:
    imports, _ = peak_of([sys.executable, "-c", "import parity.steps.runner, parity.ugatit.training"])
    results = {"options": options, "imports_mib": imports >> 20}
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        ways = {"live": [], "record": ["--record", recording], "against": ["--against", recording]}
        for way in only or WAYS:
            command = [sys.executable, "-m", "parity", "steps", "--steps", "1", *options]
            peak, seconds = peak_of([*command, *map(str, ways[way])])
            results[way] = {"peak_mib": peak >> 20, "seconds": round(seconds)}
            if way == "record":
                results[way]["recording_mib"] = sum(file.stat().st_size for file in recording.iterdir()) >> 20
    click.echo(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
